import { findInvoice, type InvoiceView } from '../invoices.ts';
import { creditorsMoments, type Moments } from '../moments.ts';
import type { Verb } from '../verb.ts';

interface Happened {
  at: string;
  kind: string;
  actor: string;
  summary: string;
}

/** Events that are shown; a case has a few dozen. */
const MOST = 1_000;

export const showCase: Verb = {
  name: 'case',
  takes: 'INVOICE',
  summary: 'How an invoice stands, what comes next, and what happened and why',
  about: 'INVOICE is an id or a number. Times are the creditor’s.',
  options: {},
  words: { least: 1, most: 1 },
  async run({ api, output, words }) {
    const invoice = await findInvoice(api, words[0]!);
    const { data, more } = await api.list<Happened>(`/v1/invoices/${invoice.id}/timeline`, {}, MOST);
    const moments = await creditorsMoments(api);
    output.facts([
      ['invoice', `${invoice.number}  ${invoice.id}`],
      ['workflow', invoice.workflowId],
      ['stage', invoice.stage],
      ['balance', `${invoice.balance} of ${invoice.amount} ${invoice.currency}`],
      ['due', `${invoice.dueOn}, issued ${invoice.issuedOn}`],
      ['policy', `${invoice.policy.name} version ${invoice.policy.version}`],
      ['holds', invoice.holds.length === 0 ? null : invoice.holds.map((hold) => holdText(hold, invoice)).join('; ')],
      ['next', nextText(invoice, moments)],
    ]);
    output.line();
    output.table(
      [`at (${moments.zone})`, 'event', 'by', 'what'],
      data.map((event) => [moments.show(event.at), event.kind, event.actor, event.summary]),
    );
    if (more) output.line(`… and more: only the first ${MOST} events are shown.`);
    return 0;
  },
};

const holdText = (hold: InvoiceView['holds'][number], { currency }: InvoiceView): string =>
  [
    hold.kind,
    hold.amount === null ? '' : `${hold.amount} ${currency}`,
    hold.until === null ? '' : `until ${hold.until}`,
  ]
    .filter((part) => part !== '')
    .join(' ');

function nextText({ next }: InvoiceView, moments: Moments): string {
  if (next === null) return 'nothing';
  return [moments.show(next.at), next.action, next.step ?? '', `(${next.reason})`]
    .filter((part) => part !== '')
    .join(' ');
}
