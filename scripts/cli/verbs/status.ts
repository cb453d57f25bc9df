import type { Api } from '../api.ts';
import type { Output } from '../output.ts';
import type { Verb } from '../verb.ts';

/** Counting goes through lists; from here on it says "or more". */
const MOST = 1_000;
const STAGES = ['upcoming', 'reminding', 'formalNotice', 'placed', 'settled', 'cancelled', 'writtenOff'];

export const status: Verb = {
  name: 'status',
  takes: '',
  summary: 'What runs where, whether it is ready, and how many cases and tasks there are',
  options: {},
  words: { least: 0, most: 0 },
  async run({ api, output }) {
    const { url, ready } = api.connection();
    const health = await readiness(api);
    output.facts([
      ['API', `${url}  ${health}`],
      ['documentation', ready?.docsUrl ?? `${url}/docs`],
      ['Temporal UI', ready?.temporalUiUrl ?? null],
      ['Temporal', ready === null ? null : `${ready.temporalAddress}, namespace ${ready.temporalNamespace}`],
      ['mail', ready?.mailUrl ?? null],
      ['process', ready === null ? null : `${ready.pid}, since ${ready.startedAt}`],
    ]);
    if (health !== 'ready') return 1;
    await printBook(api, output);
    return 0;
  },
};

/** `ready`, or what is not: `not ready: temporal down`. */
async function readiness(api: Api): Promise<string> {
  const { checks } = await api.call<{ checks: Record<string, string> }>('/readyz', {
    as: 'nobody',
    alsoAnswers: [503],
  });
  const amiss = Object.entries(checks).filter(([, state]) => state !== 'ok');
  return amiss.length === 0 ? 'ready' : `not ready: ${amiss.map((pair) => pair.join(' ')).join(', ')}`;
}

async function printBook(api: Api, output: Output): Promise<void> {
  const creditor = await api.patiently<{ id: string; name: string }>('/v1/creditor');
  const clock = await api.patiently<{ now: string; dayMs: number }>('/v1/clock');
  const stages: (readonly [string, string | null])[] = [];
  for (const stage of STAGES) {
    const { data, more } = await api.list('/v1/invoices', { stage }, MOST);
    stages.push([`  ${stage}`, data.length === 0 ? null : counted(data.length, more)]);
  }
  const open = await api.list<{ kind: string }>('/v1/tasks', { status: 'open' }, MOST);
  const kinds = new Map<string, number>();
  for (const { kind } of open.data) kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
  output.facts([
    ['creditor', `${creditor.name}  ${creditor.id}`],
    ['business clock', `${clock.now}${clock.dayMs === 86_400_000 ? '' : `, a day takes ${clock.dayMs / 1_000} s`}`],
    ['cases', stages.every(([, count]) => count === null) ? 'none' : ''],
    ...stages,
    ['open tasks', counted(open.data.length, open.more)],
    ...[...kinds].sort(([a], [b]) => (a < b ? -1 : 1)).map(([kind, count]) => [`  ${kind}`, String(count)] as const),
  ]);
}

const counted = (count: number, more: boolean): string => (more ? `${count} or more` : String(count));
