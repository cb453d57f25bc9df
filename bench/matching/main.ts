import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { StackError } from '../../scripts/stack/errors.ts';
import { readTables, type Tables } from '../../scripts/tables/read.ts';
import { ALL_AUTOMATIC, DEFAULT_MODES } from '../../domain/matching/settings.ts';
import type { MatchingSettings } from '../../domain/matching/types.ts';
import type { Benchmark } from '../main.ts';
import { print } from '../support/report.ts';
import { replay, withoutATenth, type Outcome } from './replay.ts';

/** Right at least, in hundredths of a per cent, and wrong at most, all rules on (the issue's bounds on the shared tables). */
const BOUNDS: Readonly<Record<string, { right: number; wrong: number }>> = {
  single: { right: 9_700, wrong: 1 },
  multi: { right: 9_400, wrong: 2 },
};

const settingsWith = (modes: MatchingSettings['modes']): MatchingSettings => ({ modes, feesMinor: 0n });

export const benchmark: Benchmark = {
  about: 'how much of real-looking payments is matched without a person, and how much of it wrongly',
  options: { seeds: 3 },
  texts: { data: '../shared/data/payments-to-invoices' },
  run: async ({ seeds = 3 }, { data = '' }) => {
    const names = ['single', 'multi'].filter((name) => existsSync(join(data, `${name}_payments.csv`)));
    if (names.length === 0) throw new StackError(`There are no tables in ${data}: name their folder by --data DIR.`);
    let holds = true;
    for (const name of names) holds = measure(readTables(join(data, name)), seeds) && holds;
    return await Promise.resolve(holds);
  },
};

function measure(tables: Tables, seeds: number): boolean {
  print(`\n${tables.name}: ${tables.payments.length} payments, ${tables.invoices.length} invoices`);
  const bounds = BOUNDS[tables.name]!;
  report('default rules', tables, DEFAULT_MODES);
  const all = report('all rules on', tables, ALL_AUTOMATIC);
  const right = Math.floor((all.filter(({ verdict }) => verdict === 'right').length * 10_000) / all.length);
  const wrong = all.filter(({ verdict }) => verdict === 'wrong').length;
  print(`  bound: at least ${(bounds.right / 100).toFixed(1)} % right and at most ${bounds.wrong} wrong, all rules on`);
  let applied = 0;
  for (let seed = 1; seed <= seeds; seed += 1) applied += reportOrphans(tables, seed);
  return right >= bounds.right && wrong <= bounds.wrong && applied === 0;
}

function report(label: string, tables: Tables, modes: MatchingSettings['modes']): Outcome[] {
  const { outcomes, millis } = replay(tables, settingsWith(modes));
  print(`  ${label}: ${line(outcomes)}; ${((millis * 1_000) / outcomes.length).toFixed(0)} µs a line`);
  for (const category of [...new Set(outcomes.map((one) => one.category))].sort()) {
    print(`    ${category.padEnd(20)} ${line(outcomes.filter((one) => one.category === category))}`);
  }
  const rules = new Map<string, Outcome[]>();
  for (const one of outcomes) {
    const by = one.decision.kind === 'apply' ? one.decision.proposal.rule : `review: ${one.decision.reason}`;
    rules.set(by, [...(rules.get(by) ?? []), one]);
  }
  for (const [rule, own] of [...rules].sort(([, a], [, b]) => b.length - a.length)) {
    const wrong = own.filter(({ verdict }) => verdict === 'wrong').length;
    print(`      ${rule.padEnd(24)} ${String(own.length).padStart(5)}${wrong > 0 ? `, ${wrong} wrong` : ''}`);
  }
  return outcomes;
}

/** Payments whose invoice is not there: those applied by the default rules must be none. */
function reportOrphans(tables: Tables, seed: number): number {
  const { tables: left, orphans } = withoutATenth(tables, seed);
  const applied = (modes: MatchingSettings['modes']): Outcome[] =>
    replay(left, settingsWith(modes)).outcomes.filter(
      ({ payment, decision }) => orphans.has(payment.id) && decision.kind === 'apply',
    );
  const byDefault = applied(DEFAULT_MODES).length;
  const byAll = applied(ALL_AUTOMATIC);
  const rules = [...new Set(byAll.map(({ decision }) => (decision.kind === 'apply' ? decision.proposal.rule : '')))];
  print(
    `  without the invoices of a tenth of the matches, seed ${seed}: of ${orphans.size} orphans ${byDefault} applied by ` +
      `default (bound 0), ${byAll.length} with all rules on${rules.length > 0 ? ` (${rules.join(', ')})` : ''}`,
  );
  return byDefault;
}

function line(outcomes: readonly Outcome[]): string {
  const count = (verdict: Outcome['verdict']): number => outcomes.filter((one) => one.verdict === verdict).length;
  const share = (n: number): string => `${((n * 100) / outcomes.length).toFixed(2)} %`;
  const [right, review, wrong] = [count('right'), count('review'), count('wrong')];
  const precision = right + wrong === 0 ? '-' : `${((right * 100) / (right + wrong)).toFixed(3)} %`;
  return `right ${share(right)}, review ${share(review)}, wrong ${share(wrong)} (${wrong}), precision ${precision}`;
}
