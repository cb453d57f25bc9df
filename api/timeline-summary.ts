import type { TimelineRow } from '../db/repositories/timeline.ts';

/** One sentence an event, from its stable data; a person's own words follow behind a dash. */
export function summaryOf(row: Pick<TimelineRow, 'kind' | 'data' | 'text'>): string {
  const text = row.text === null ? '' : ` — ${row.text}`;
  return `${sentenceOf(row.kind, row.data)}${text}`;
}

function sentenceOf(kind: string, data: Record<string, unknown>): string {
  const say = (name: string): string => {
    const value = data[name];
    return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
  };
  const money = (name = 'amount'): string => (say(name) ? `${say(name)} ${say('currency')}`.trim() : 'the whole');
  // A note that belongs to no step of the ladder has a key that no policy can use.
  const note = say('step') === '~thankYou' ? 'thank-you note' : null;
  const step = say('step') ? ` ${say('step')}` : '';
  const message = note ?? `message of step${step}`;
  const because = say('reason') ? `: ${say('reason')}` : '';
  switch (kind) {
    case 'invoiceRegistered':
      return `Registered: ${money()}, due on ${say('dueOn')}${dueOnOrigin(say('dueOnFrom'))}, policy ${say('policy')} version ${say('policyVersion')}`;
    case 'invoiceCompleted':
      return 'Completed from the document';
    case 'dueDateChanged':
      return `Due date moved from ${say('from')} to ${say('to')}`;
    case 'fileAttached':
      return 'The invoice’s PDF was attached';
    case 'stepTaken':
      return `Step${step} taken`;
    case 'stepMerged':
      return `Step${step} merged into ${say('into')}`;
    case 'stepSkipped':
      return `Step${step} skipped${because}`;
    case 'contactQueued':
      return note ? `A ${note} was queued` : `A message was queued for step${step}`;
    case 'contactSent':
      return `The ${message} was sent`;
    case 'contactDelivered':
      return `The ${message} was delivered`;
    case 'contactFailed':
      return `The ${message} failed${because}`;
    case 'contactUnknown':
      return `Whether the ${message} left is not known`;
    case 'contactWithdrawn':
      return `The ${message} was withdrawn${because}`;
    case 'paymentAllocated':
      return `Paid ${money()}, ${say('balance')} left`;
    case 'allocationReversed':
      return `A payment of ${money()} was taken off again (${say('why')}), ${say('balance')} owed`;
    case 'creditNoted':
      return `Credited ${money()}, ${say('balance')} left`;
    case 'promised':
      return `Promised ${money()} for ${say('payOn')}${data['holds'] === false ? ', beyond the policy’s limits: reminders go on' : ''}`;
    case 'promiseKept':
      return 'The promise was kept';
    case 'promiseBroken':
      return 'The promise was broken';
    case 'promiseWithdrawn':
      return say('why') === 'replaced' ? 'The promise was replaced by another' : 'The promise was withdrawn';
    case 'disputed':
      return `Disputed ${money()} (${say('category')})`;
    case 'disputeResolved':
      return `Dispute ${say('outcome')}, ${money('credited')} credited`;
    case 'held':
      return `Held (${say('kind')})${say('until') ? ` until ${say('until')}` : ''}`;
    case 'released':
      return `Hold lifted (${say('kind')})`;
    case 'paused':
      return `Paused${say('until') ? ` until ${say('until')}` : ''}`;
    case 'resumed':
      return 'Resumed';
    case 'approvalAsked':
      return `Approval asked for step${step}`;
    case 'approved':
      return `Step${step} approved`;
    case 'refused':
      return `Step${step} refused`;
    case 'settled':
      return 'Settled';
    case 'cancelled':
      return 'Cancelled: credited in full before any payment';
    case 'writtenOff':
      return 'Written off';
    case 'reopened':
      return `Reopened at stage ${say('stage')}`;
    case 'recovered':
      return `Recovered ${money()} after write-off`;
    case 'taskOpened':
      return `Task opened: ${say('kind')}`;
    case 'taskClosed':
      return `Task closed: ${say('kind')}`;
    case 'collectionFailed':
      return 'The direct debit failed';
    case 'collectionAsked':
      return 'The direct debit is still pending';
    case 'personalDataErased':
      return say('what') === 'all'
        ? 'Personal data of the customer was erased'
        : 'Personal data of a contact was erased';
    default:
      return kind.replaceAll(/([A-Z])/g, ' $1').toLowerCase();
  }
}

function dueOnOrigin(from: string): string {
  switch (from) {
    case 'terms':
      return ' (from the terms in the document)';
    case 'paymentDays':
      return ' (from the creditor’s payment days; the document had none)';
    case 'document':
      return ' (from the document)';
    default:
      return '';
  }
}
