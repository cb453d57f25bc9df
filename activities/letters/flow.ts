import type { Block } from '../mail/blocks.ts';
import { widthOf, type Weight } from './fonts.ts';
import { LEADING, mm, type Mark } from './page.ts';
import { printable, wrapped } from './text.ts';

/** The rectangle of a page that text runs through, in millimetres. */
export interface Frame {
  left: number;
  right: number;
  /** Where the text begins on every page after the first. */
  top: number;
  bottom: number;
}

export interface Style {
  size?: number;
  weight?: Weight;
  grey?: boolean;
  align?: 'left' | 'right';
  /** Space below, in millimetres. */
  after?: number;
}

const BODY = 10;
/** Space between paragraphs. */
const PARAGRAPH_GAP = 2.6;
const LIST_INDENT = 5;
const FIGURES_SHARE = 0.72;
/** Lines of a paragraph that stand together at the foot or head of a page; one of three lines is not parted at all. */
const TOGETHER = 2;

/** Text that runs from page to page: a pen that knows where it is. Every text is cleaned on the way. */
export class Flow {
  readonly frame: Frame;
  readonly pages: Mark[][] = [[]];
  /** Where the next line begins. */
  y: number;

  /** What every text goes through: `printable` refuses, `recorded` describes what the font does not have. */
  readonly clean: (text: string) => string;

  constructor(frame: Frame, startAt: number = frame.top, clean: (text: string) => string = printable) {
    this.frame = frame;
    this.y = startAt;
    this.clean = clean;
  }

  get width(): number {
    return this.frame.right - this.frame.left;
  }

  /** What is left of the page. */
  get room(): number {
    return this.frame.bottom - this.y;
  }

  breakPage(): void {
    this.pages.push([]);
    this.y = this.frame.top;
  }

  /** Goes to the next page unless so much is left on this one. */
  need(height: number): void {
    if (this.room < height && this.y > this.frame.top) this.breakPage();
  }

  /** Space, which does not cross a page. */
  gap(height: number): void {
    this.y = Math.min(this.y + height, this.frame.bottom);
  }

  mark(mark: Mark): void {
    this.pages.at(-1)!.push(mark);
  }

  /** The same pen on one page, for what stands outside of the text. */
  on(page: Mark[]): Flow {
    const pen = new Flow(this.frame, this.frame.top, this.clean);
    pen.pages.splice(0, 1, page);
    return pen;
  }

  /** One line of type with its top at `y`; nothing is wrapped and the pen stays. The text must be clean. */
  put(
    text: string,
    x: number,
    y: number,
    { size = BODY, weight = 'regular', grey = false, align = 'left' }: Style = {},
  ): void {
    const at = align === 'right' ? x - widthOf(text, size, weight) : x;
    if (text !== '') this.mark({ kind: 'text', x: at, y: y + mm(size) * 1.02, size, weight, grey, text });
  }

  rule(y: number, grey = true, left = this.frame.left, right = this.frame.right): void {
    this.mark({ kind: 'line', x1: left, y1: y, x2: right, y2: y, width: 0.6, grey });
  }

  paragraph(text: string, style: Style = {}, from: number = this.frame.left, right: number = this.frame.right): void {
    const { size = BODY, weight = 'regular', align = 'left', after = PARAGRAPH_GAP } = style;
    const height = mm(size * LEADING.text);
    const lines = wrapped(this.clean(text), size, weight, right - from);
    lines.forEach((line, i) => {
      const left = lines.length - i;
      if (i === 0) this.need(height * (left <= TOGETHER + 1 ? left : TOGETHER));
      else this.need(height * (left === TOGETHER ? left : 1));
      this.put(line, align === 'right' ? right : from, this.y, style);
      this.y += height;
    });
    this.gap(after);
  }

  /** A heading stays with what follows it. */
  heading(text: string, size = 11): void {
    this.need(mm(size) + 18);
    this.gap(this.y > this.frame.top ? 2 : 0);
    this.paragraph(text, { size, weight: 'bold', after: 1.4 });
  }

  list(items: readonly string[]): void {
    for (const item of items) {
      this.need(mm(BODY * LEADING.text));
      this.put('•', this.frame.left + 1.2, this.y);
      this.paragraph(item, { after: 0.8 }, this.frame.left + LIST_INDENT);
    }
    this.gap(PARAGRAPH_GAP - 0.8);
  }

  /** Labels on the left, amounts in a column, sums in bold below a line. They are kept on one page. */
  figures(rows: readonly { label: string; value: string; sum?: boolean }[]): void {
    const right = this.frame.left + this.width * FIGURES_SHARE;
    const height = mm(BODY * LEADING.text);
    const laid = rows.map(({ label, value, sum = false }) => {
      const weight: Weight = sum ? 'bold' : 'regular';
      const amount = this.clean(value);
      const width = right - this.frame.left - LIST_INDENT - widthOf(amount, BODY, weight) - 4;
      return { weight, amount, sum, lines: wrapped(this.clean(label), BODY, weight, Math.max(width, 20)) };
    });
    this.need(laid.reduce((sum, { lines }) => sum + lines.length * height + 0.8, 0));
    for (const { weight, amount, sum, lines } of laid) {
      this.need(lines.length * height);
      if (sum) this.rule(this.y - 0.2, false, this.frame.left + LIST_INDENT, right);
      for (const [i, line] of lines.entries()) {
        this.put(line, this.frame.left + LIST_INDENT, this.y + (sum ? 0.4 : 0), { weight });
        if (i === 0) this.put(amount, right, this.y + (sum ? 0.4 : 0), { weight, align: 'right' });
        this.y += height;
      }
    }
    this.gap(PARAGRAPH_GAP + 0.6);
  }

  /** Details as `label: value`, the values in one column; what is null or empty is left out. */
  details(rows: readonly (readonly [label: string, value: string | null | undefined])[], labelWidth = 42): void {
    for (const [label, value] of rows) {
      if (!value) continue;
      this.need(mm(BODY * LEADING.text));
      const from = this.y;
      const page = this.pages.length;
      for (const [i, line] of wrapped(this.clean(label), 9, 'regular', labelWidth - 2).entries()) {
        this.put(line, this.frame.left, from + 0.3 + i * mm(9 * LEADING.table), { size: 9, grey: true });
      }
      this.paragraph(value, { after: 0 }, this.frame.left + labelWidth);
      const labelLines = wrapped(this.clean(label), 9, 'regular', labelWidth - 2).length;
      if (this.pages.length === page) this.y = Math.max(this.y, from + labelLines * mm(9 * LEADING.table));
    }
    this.gap(PARAGRAPH_GAP);
  }

  blocks(blocks: readonly Block[]): void {
    for (const block of blocks) {
      if (block.kind === 'paragraph') this.paragraph(block.text);
      else if (block.kind === 'list') this.list(block.items);
      else this.figures(block.rows);
    }
  }
}
