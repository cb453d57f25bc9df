import { findInvoice } from '../invoices.ts';
import { creditorsMoments } from '../moments.ts';
import type { Verb } from '../verb.ts';

interface Foretold {
  at: string;
  action: string;
  step: string | null;
  channel: string | null;
  reason: string;
}

export const calendar: Verb = {
  name: 'calendar',
  takes: 'INVOICE',
  summary: 'What will happen to an invoice if nothing changes',
  about: 'INVOICE is an id or a number. Times are the creditor’s.',
  options: {},
  words: { least: 1, most: 1 },
  async run({ api, output, words }) {
    const invoice = await findInvoice(api, words[0]!);
    const { data } = await api.patiently<{ data: Foretold[] }>(`/v1/invoices/${invoice.id}/calendar`);
    const moments = await creditorsMoments(api);
    if (data.length === 0) {
      output.line(`Nothing is planned for ${invoice.number} (${invoice.stage}).`);
      return 0;
    }
    output.table(
      [`at (${moments.zone})`, 'action', 'step', 'channel', 'reason'],
      data.map((line) => [moments.show(line.at), line.action, line.step ?? '-', line.channel ?? '-', line.reason]),
    );
    return 0;
  },
};
