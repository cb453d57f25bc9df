import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { Api } from '../api.ts';
import { CliError, wrongUsage } from '../errors.ts';
import { importProgress } from '../import-progress.ts';
import { creditorsMoments } from '../moments.ts';
import type { Output } from '../output.ts';
import { text, type Call, type Verb } from '../verb.ts';

/** A roll-out as the API answers it. */
interface RolloutView {
  id: string;
  policy: string;
  version: number;
  dryRun: boolean;
  status: 'planning' | 'running' | 'done' | 'failed';
  code: string | null;
  total: number | null;
  done: number;
  listed: number;
  affected: number;
  moved: number;
  unchanged: number;
  refused: number;
  differs: number;
  skipped: number;
  changing: number;
}

interface OutlookView {
  at?: string;
  action?: string;
  step?: string | null;
  contactsIn30Days: number;
}

interface CaseView {
  number: string;
  status: string;
  code: string | null;
  before: OutlookView | null;
  after: OutlookView | null;
}

/** Cases that are shown. */
const SHOWN = 20;
const POLL_MS = 250;

export const rollout: Verb = {
  name: 'rollout',
  takes: 'POLICY [options]',
  summary: 'Moves open cases to a version of their policy, or shows what that would change',
  about:
    'With --dry-run lists what is next before and after. Ends with 1 when a case was refused or stayed because something\n' +
    'would have left that the listing did not show. The moving goes on when this is interrupted.',
  options: {
    'dry-run': { help: 'only lists what would change' },
    version: { value: 'N', help: 'the version to move to (default the newest)' },
    of: { value: 'ROLLOUT', help: 'carries out this dry run: what it listed counts' },
    customer: { value: 'ID', help: 'only cases of this customer' },
    stage: { value: 'STAGE', help: 'only cases in this stage' },
    reason: { value: 'TEXT', help: 'why, for the timelines' },
  },
  words: { least: 1, most: 1 },
  async run(call) {
    const { api, output, words } = call;
    const asked = await api.patiently<RolloutView>(`/v1/policies/${encodeURIComponent(words[0]!)}/rollout`, {
      method: 'POST',
      json: bodyOf(call),
      // Sent again after a broken connection, it is still one roll-out.
      idempotencyKey: randomUUID(),
    });
    const done = await followed(api, output, asked.id);
    if (done.status === 'failed') throw new CliError(`The roll-out failed (${done.code ?? 'unknown'}).`);
    await printCases(api, output, done);
    printTotals(output, done);
    return !done.dryRun && done.refused + done.differs > 0 ? 1 : 0;
  },
};

function bodyOf(call: Call): Record<string, unknown> {
  const version = text(call, 'version');
  if (version !== undefined && !/^[1-9]\d{0,5}$/.test(version)) throw wrongUsage('--version is a whole number from 1.');
  const [customerId, stage] = [text(call, 'customer'), text(call, 'stage')];
  const filter = { ...(customerId === undefined ? {} : { customerId }), ...(stage === undefined ? {} : { stage }) };
  const dryRunId = text(call, 'of');
  const reason = text(call, 'reason');
  return {
    dryRun: call.given['dry-run'] === true,
    ...(version === undefined ? {} : { version: Number(version) }),
    ...(dryRunId === undefined ? {} : { dryRunId }),
    ...(Object.keys(filter).length === 0 ? {} : { filter }),
    ...(reason === undefined ? {} : { reason }),
  };
}

/** Waits for the end: first all cases are listed, then they are moved. */
async function followed(api: Api, output: Output, id: string): Promise<RolloutView> {
  let phase: RolloutView['status'] | null = null;
  let progress: ReturnType<typeof importProgress> | null = null;
  try {
    for (;;) {
      const view = await api.patiently<RolloutView>(`/v1/rollouts/${id}`);
      if (view.status === 'done' || view.status === 'failed') return view;
      if (view.status !== phase) {
        progress?.stop();
        const waiting = 'asked for; it begins once a worker is free';
        progress = importProgress(output, view.status === 'planning' ? 'listed' : 'moved', { of: 'cases', waiting });
        phase = view.status;
      }
      progress?.update(view.done, view.total);
      await pause(POLL_MS);
    }
  } finally {
    progress?.stop();
  }
}

async function printCases(api: Api, output: Output, done: RolloutView): Promise<void> {
  const { data, more } = await api.list<CaseView>(`/v1/rollouts/${done.id}/cases`, {}, SHOWN);
  if (data.length === 0) return;
  const moments = await creditorsMoments(api);
  const shown = (outlook: OutlookView | null): string =>
    outlook?.at === undefined
      ? 'nothing'
      : `${moments.show(outlook.at)} ${outlook.step ?? outlook.action ?? ''} (${outlook.contactsIn30Days})`;
  output.table(
    ['invoice', 'status', `before (${moments.zone}; contacts in 30 days)`, 'after'],
    data.map((one) => [
      one.number,
      one.code === null ? one.status : `${one.status}: ${one.code}`,
      shown(one.before),
      shown(one.after),
    ]),
  );
  if (more) output.line(`… and more: GET /v1/rollouts/${done.id}/cases lists all of them.`);
  output.line();
}

function printTotals(output: Output, done: RolloutView): void {
  const counts = (done.dryRun ? ['listed', 'refused'] : ['moved', 'unchanged', 'refused', 'differs', 'skipped']) as (
    'listed' | 'moved' | 'unchanged' | 'refused' | 'differs' | 'skipped'
  )[];
  output.line(
    `${done.policy} version ${done.version}: ${counts.map((name) => `${done[name]} ${name}`).join(', ')}; ` +
      `something else follows for ${done.changing}`,
  );
  if (done.affected > 0) output.line(`Contacts of ${done.affected} other cases of the same customers change along.`);
  if (done.dryRun && done.listed > 0) {
    output.line(`Nothing was moved. To do it: rollout ${done.policy} --of ${done.id}`);
  }
}
