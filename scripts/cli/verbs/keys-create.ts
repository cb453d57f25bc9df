import { randomUUID } from 'node:crypto';
import { wrongUsage } from '../errors.ts';
import { text, type Verb } from '../verb.ts';

export const createKey: Verb = {
  name: 'keys create',
  takes: '--name … [options]',
  summary: 'Makes an API key of a creditor and prints it',
  about: 'Needs the admin key: that of the data folder, or RELANCE_API_KEY.',
  options: {
    name: { value: 'NAME', help: 'stands on the timeline beside what is done with the key' },
    role: { value: 'ROLE', help: 'operator (default), approver or agency' },
    agency: { value: 'ID', help: 'of a key of the role agency: which one' },
    creditor: { value: 'ID', help: 'whose key (default: the creditor of the data folder)' },
  },
  words: { least: 0, most: 0 },
  async run(call) {
    const name = text(call, 'name');
    if (name === undefined) throw wrongUsage('--name is missing.');
    const creditor = text(call, 'creditor') ?? call.api.connection().ready?.creditorId;
    if (creditor === undefined) throw wrongUsage('--creditor is missing: RELANCE_URL does not say whose key it is.');
    const agencyId = text(call, 'agency');
    const path = `/v1/creditors/${encodeURIComponent(creditor)}/keys`;
    const made = await call.api.patiently<{ id: string; name: string; role: string; key: string }>(path, {
      method: 'POST',
      as: 'admin',
      idempotencyKey: randomUUID(),
      json: {
        name,
        role: text(call, 'role') ?? (agencyId === undefined ? 'operator' : 'agency'),
        ...(agencyId === undefined ? {} : { agencyId }),
      },
    });
    call.output.facts([
      ['id', made.id],
      ['name', made.name],
      ['role', made.role],
      ['key', made.key],
    ]);
    call.output.note('The key is shown this once.');
    return 0;
  },
};
