import { withQuery, type Api } from '../api.ts';
import { CliError } from '../errors.ts';
import { progressBar } from '../progress-bar.ts';
import { text, type Verb } from '../verb.ts';

interface Part {
  cases: number;
  events: number;
  anchored: number;
  heads: number;
  totalCases: number;
  latestHead: { n: number; on: string; hash: string } | null;
  problems: { message: string }[];
  nextCursor: string | null;
}

/** Problems that are printed; the count is always the whole. */
const MOST = 100;

export const verify: Verb = {
  name: 'verify',
  takes: '',
  summary: 'Check that no event of any case was altered, left out or rewritten',
  about: 'Ends with 0 when everything holds and with 1 when something does not, after saying what.',
  options: {
    head: { value: 'HASH', help: 'the hash of a head that was kept elsewhere: it must be among the heads' },
  },
  words: { least: 0, most: 0 },
  async run(call) {
    const { api, output } = call;
    const head = text(call, 'head');
    if (head !== undefined && !/^[0-9a-f]{64}$/.test(head)) {
      throw new CliError('--head is a SHA-256 in hexadecimal, as the worker logs it.', 2);
    }
    const sum = { cases: 0, events: 0, anchored: 0, heads: 0, problems: 0 };
    const progress = progressBar(output, 'verify', 'cases');
    let latest: Part['latestHead'] = null;
    try {
      for await (const part of partsOf(api, head)) {
        sum.cases += part.cases;
        sum.events += part.events;
        sum.anchored += part.anchored;
        sum.heads += part.heads;
        latest = part.latestHead;
        for (const { message } of part.problems) {
          sum.problems += 1;
          if (sum.problems <= MOST) output.line(message);
        }
        progress.update(sum.cases, part.totalCases);
      }
    } finally {
      progress.stop();
    }
    if (sum.problems > MOST) output.line(`… and ${sum.problems - MOST} more`);
    output.facts([
      ['cases', String(sum.cases)],
      ['events', `${sum.events}, ${sum.anchored} of them under a head`],
      ['heads', String(sum.heads)],
      ['latest head', latest === null ? null : `${latest.n} of ${latest.on} ${latest.hash}`],
      ['result', sum.problems === 0 ? 'holds' : `broken: ${sum.problems} problem${sum.problems === 1 ? '' : 's'}`],
    ]);
    return sum.problems === 0 ? 0 : 1;
  },
};

async function* partsOf(api: Api, head: string | undefined): AsyncGenerator<Part> {
  let cursor: string | undefined;
  do {
    const part: Part = await api.patiently(withQuery('/v1/verification', { cursor, head: cursor ? undefined : head }));
    yield part;
    cursor = part.nextCursor ?? undefined;
  } while (cursor !== undefined);
}
