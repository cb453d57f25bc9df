import { formatAmount } from '../money.ts';
import { isoInstant } from '../time/zones.ts';
import { statementOf } from './account.ts';
import type { ClaimFacts } from './claim-facts.ts';
import type { NamedDocument } from './claim-json.ts';
import { csvOf } from '../csv.ts';

const MESSAGE_COLUMNS = [
  'id',
  'kind',
  'channel',
  'status',
  'steps',
  'amount',
  'currency',
  'subject',
  'to',
  'cc',
  'queuedAt',
  'sentAt',
  'finishedAt',
  'errorCode',
  'files',
];

/** Every message to the debtor and what became of it. */
export function messagesCsv(facts: ClaimFacts, files: readonly NamedDocument[]): string {
  const { currency } = facts.invoice;
  return csvOf(
    MESSAGE_COLUMNS,
    facts.messages.map((message) => [
      message.id,
      message.kind,
      message.channel,
      message.status,
      message.steps.join(' '),
      formatAmount(message.amountMinor, currency),
      currency,
      message.subject,
      message.to.join(' '),
      message.cc.join(' '),
      isoInstant(message.queuedAt),
      instantText(message.sentAt),
      instantText(message.finishedAt),
      message.errorCode,
      namesOf(files, message.id),
    ]),
  );
}

/** What the post did with each letter. */
export function postCsv(facts: ClaimFacts, files: readonly NamedDocument[]): string {
  const letters = facts.messages.filter(({ channel }) => channel === 'letter' || channel === 'registeredLetter');
  return csvOf(
    ['id', 'kind', 'channel', 'dispatchedOn', 'deliveredOn', 'refusedOn', 'returnedOn', 'trackingNumber', 'files'],
    letters.map(({ id, kind, channel, post }) => [
      id,
      kind,
      channel,
      post.dispatchedOn,
      post.deliveredOn,
      post.refusedOn,
      post.returnedOn,
      post.trackingNumber,
      namesOf(files, id),
    ]),
  );
}

/** The account of the invoice, line by line. */
export function statementCsv(facts: ClaimFacts): string {
  const { currency } = facts.invoice;
  return csvOf(
    ['on', 'kind', 'debit', 'credit', 'balance', 'currency', 'method', 'reference'],
    statementOf(facts.account).map((line) => [
      line.on,
      line.kind,
      line.amountMinor > 0n ? formatAmount(line.amountMinor, currency) : null,
      line.amountMinor < 0n ? formatAmount(-line.amountMinor, currency) : null,
      formatAmount(line.balanceMinor, currency),
      currency,
      line.method,
      line.reference,
    ]),
  );
}

const instantText = (at: number | null): string | null => (at === null ? null : isoInstant(at));

const namesOf = (files: readonly NamedDocument[], contactId: string): string =>
  files
    .filter((file) => file.contactId === contactId)
    .map(({ name }) => name)
    .join(' ');
