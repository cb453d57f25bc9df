import type { Api } from '../api.ts';
import { CliError } from '../errors.ts';
import { findInvoice } from '../invoices.ts';
import type { Output } from '../output.ts';
import { progressBar } from '../progress-bar.ts';
import { text, type Verb } from '../verb.ts';

interface Replay {
  number: string;
  equal: boolean;
  decisions: number;
  messages: number;
  erased: number;
  unrecorded: number;
  notRebuilt: string[];
  differences: { of: string; at: string; what: string; recorded: unknown; derived: unknown }[];
  moreDifferences: number;
}

/** Differences of a case that are printed. */
const FIRST = 5;

export const replay: Verb = {
  name: 'replay',
  takes: '[INVOICE…]',
  summary: 'Derive every decision and message of cases again from their record',
  about: 'INVOICE is an id or a number; --all goes through every case. Ends with 0 when all are equal, else with 1.',
  options: {
    all: { help: 'every case of the creditor' },
    stage: { value: 'STAGE', help: 'with --all: those in this stage' },
  },
  words: { least: 0, most: 1_000 },
  async run(call) {
    const { api, output, words, given } = call;
    if ((words.length === 0) !== (given['all'] === true)) throw new CliError('Name invoices, or say --all.', 2);
    const invoices = words.length > 0 ? named(api, words) : every(api, text(call, 'stage'));
    const sum = { cases: 0, differing: 0, decisions: 0, messages: 0 };
    const progress = words.length > 0 ? null : progressBar(output, 'replay', 'cases');
    try {
      for await (const { id, total } of invoices) {
        const one: Replay = await api.patiently(`/v1/invoices/${id}/replay`);
        sum.cases += 1;
        sum.decisions += one.decisions;
        sum.messages += one.messages;
        if (!one.equal) sum.differing += 1;
        if (!one.equal || words.length > 0) tell(output, one);
        progress?.update(sum.cases, total);
      }
    } finally {
      progress?.stop();
    }
    if (words.length !== 1) {
      const equal = sum.differing === 0 ? 'equal' : `${sum.differing} differ`;
      output.line(`${sum.cases} cases: ${equal} (${sum.decisions} decisions, ${sum.messages} messages)`);
    }
    return sum.differing === 0 ? 0 : 1;
  },
};

function tell(output: Output, one: Replay): void {
  const { decisions, messages, erased, unrecorded, differences } = one;
  const besides = [
    ...(erased > 0 ? [`${erased} erased`] : []),
    ...(unrecorded > 0 ? [`${unrecorded} older than the record`] : []),
  ];
  const counted = [`${decisions} decisions`, `${messages} messages`, ...besides].join(', ');
  output.line(`${one.number}: ${one.equal ? 'equal' : 'differs'} (${counted})`);
  for (const { of, at, what, recorded, derived } of differences.slice(0, FIRST)) {
    output.line(`  ${at} ${of}: ${what}: recorded ${shown(recorded)}, derived ${shown(derived)}`);
  }
  const more = differences.length + one.moreDifferences - FIRST;
  if (more > 0) output.line(`  … and ${more} more`);
}

function shown(value: unknown): string {
  const json = JSON.stringify(value) ?? 'nothing';
  return json.length > 120 ? `${json.slice(0, 119)}…` : json;
}

interface Case {
  id: string;
  total: number;
}

async function* named(api: Api, words: readonly string[]): AsyncGenerator<Case> {
  for (const word of words) yield { id: (await findInvoice(api, word)).id, total: words.length };
}

/** The list is read page by page, so the total is known only at its end; what is known so far is shown. */
async function* every(api: Api, stage: string | undefined): AsyncGenerator<Case> {
  const { totalCases } = await api.patiently<{ totalCases: number }>('/v1/verification?limit=1');
  for await (const page of api.pages<{ id: string }>('/v1/invoices', { stage })) {
    for (const { id } of page) yield { id, total: totalCases };
  }
}
