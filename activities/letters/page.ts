import type { Weight } from './fonts.ts';

/** A4 in millimetres. All places are millimetres from the upper left corner; sizes of type are points. */
export const PAGE = { width: 210, height: 297 } as const;

/** What lies on a page. A layout is only that, so it can be looked at without a PDF. */
export type Mark =
  | {
      kind: 'text';
      x: number;
      /** The baseline. */ y: number;
      size: number;
      weight: Weight;
      grey: boolean;
      text: string;
    }
  | { kind: 'line'; x1: number; y1: number; x2: number; y2: number; /** Points. */ width: number; grey: boolean };

export interface Layout {
  /** For the title bar and for finding it again; holds no more than what is printed. */
  title: string;
  /** BCP 47. */
  language: string;
  /** The day it bears, which is the only time in the file. */
  date: string;
  pages: Mark[][];
}

/** Line heights as multiples of the size: comfortable for text, closer for tables and addresses. */
export const LEADING = { text: 1.42, table: 1.32, address: 1.22 } as const;

export const mm = (points: number): number => (points * 25.4) / 72;
export const points = (millimetres: number): number => (millimetres * 72) / 25.4;
