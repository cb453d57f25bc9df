import { wrongUsage } from '../errors.ts';
import { creditorsMoments } from '../moments.ts';
import { text, type Verb } from '../verb.ts';

interface TaskView {
  id: string;
  kind: string;
  status: string;
  role: string;
  invoiceId: string | null;
  dueAt: string;
  subject: string;
}

export const tasks: Verb = {
  name: 'tasks',
  takes: '[options]',
  summary: 'What waits for a person, newest first',
  options: {
    kind: { value: 'KIND', help: 'only call, letter, approve, unappliedCash, …' },
    status: { value: 'STATUS', help: 'open (default), done, missed or cancelled' },
    limit: { value: 'N', help: 'how many at most (default 50)' },
  },
  words: { least: 0, most: 0 },
  async run(call) {
    const { api, output } = call;
    const limit = Number(text(call, 'limit') ?? '50');
    if (!Number.isInteger(limit) || limit < 1) throw wrongUsage('--limit is a whole number from 1.');
    const query = { kind: text(call, 'kind'), status: text(call, 'status') ?? 'open' };
    const { data, more } = await api.list<TaskView>('/v1/tasks', query, limit);
    if (data.length === 0) {
      output.line(`No ${query.status} tasks${query.kind === undefined ? '' : ` of kind ${query.kind}`}.`);
      return 0;
    }
    const moments = await creditorsMoments(api);
    output.table(
      ['id', 'kind', 'role', `due (${moments.zone})`, 'invoice', 'subject'],
      data.map((task) => [
        task.id,
        task.kind,
        task.role,
        moments.show(task.dueAt),
        task.invoiceId ?? '-',
        task.subject,
      ]),
    );
    if (more) output.line(`… and more: --limit N shows them.`);
    return 0;
  },
};
