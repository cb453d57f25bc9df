import type { Template } from 'liquidjs';
import { partsEngine, TIME_LIMIT_MS } from './parts-engine.ts';
import type { View } from './view.ts';

/** Trees of texts that are kept; those of all creditors pass through here. */
const KEPT = 500;

const engine = partsEngine(false);
/** Runs every branch of every condition and the body of every loop once. */
const everyBranch = partsEngine(true);
const trees = new Map<string, Template[]>();

/**
 * A part as plain text.
 * @throws an error of Liquid that names variables and lines of the source, never values
 */
export function renderPart(source: string, view: View, limitMs = TIME_LIMIT_MS): string {
  const tree = trees.get(source) ?? engine.parse(source);
  trees.delete(source);
  trees.set(source, tree);
  for (const oldest of trees.keys()) {
    if (trees.size <= KEPT) break;
    trees.delete(oldest);
  }
  return String(engine.renderSync(tree, view, { renderLimit: limitMs }));
}

/**
 * Evaluates all that a part names, in branches not taken too, over a view that leaves nothing out: what is unknown there
 * is unknown everywhere.
 * @throws an error of Liquid, `LiquidErrors` where there are several
 */
export function tryEveryBranch(source: string, view: View, limitMs: number): void {
  everyBranch.renderSync(everyBranch.parse(source), view, { renderLimit: limitMs });
}
