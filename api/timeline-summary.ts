import type { TimelineRow } from '../db/repositories/timeline.ts';
import { FORMAL_NOTICE, NOTICE_COPY, planNoteOf, shownStep, THANK_YOU } from '../domain/case/requests.ts';

/** One sentence an event, from its stable data; a person's own words follow behind a dash. */
export function summaryOf(row: Pick<TimelineRow, 'kind' | 'data' | 'text'>): string {
  const text = row.text === null ? '' : ` — ${row.text}`;
  return `${sentenceOf(row.kind, row.data)}${text}`;
}

const BRANCHES: Readonly<Record<string, string>> = {
  formalNotice: 'the formal notice',
  placement: 'the hand-over to an agency',
  writeOff: 'the write-off',
};

function sentenceOf(kind: string, data: Record<string, unknown>): string {
  const say = (name: string): string => {
    const value = data[name];
    return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
  };
  const money = (name = 'amount'): string => (say(name) ? `${say(name)} ${say('currency')}`.trim() : 'the whole');
  const parts = ['interest', 'compensation', 'costs'].filter((part) => say(part));
  const beside = parts.length === 0 ? '' : `, of which ${parts.map((part) => `${say(part)} ${part}`).join(' and ')}`;
  const note = noteNamed(say('step'));
  const step = say('step') ? ` ${shownStep(say('step'))}` : '';
  const message = note ?? `message of step${step}`;
  const branch = BRANCHES[say('step')] ?? null;
  const because = say('reason') ? `: ${say('reason')}` : '';
  switch (kind) {
    case 'invoiceRegistered':
      return `Registered: ${money()}, due on ${say('dueOn')}${dueOnOrigin(say('dueOnFrom'))}, policy ${say('policy')} version ${say('policyVersion')}`;
    case 'invoiceCompleted':
      return 'Completed from the document';
    case 'dueDateChanged':
      return `Due date moved from ${say('from')} to ${say('to')}`;
    case 'policyChanged':
      return `Moved from version ${say('from')} to version ${say('to')} of the policy ${say('policy')}`;
    case 'fileAttached':
      return 'The invoice’s PDF was attached';
    case 'stepTaken':
      return note ? `The ${note} was taken` : `Step${step} taken`;
    case 'stepMerged':
      return `Step${step} merged into ${say('into')}`;
    case 'stepSkipped':
      return note ? `The ${note} was left out${because}` : `Step${step} skipped${because}`;
    case 'contactQueued':
      return note ? `A ${note} was queued` : `A message was queued for step${step}`;
    case 'contactSent':
      return `The ${message} was sent`;
    case 'contactDelivered':
      return `The ${message} was delivered`;
    case 'contactRefused':
      return `The addressee refused the ${message} on ${say('on')}`;
    case 'contactFailed':
      return `The ${message} failed${because}`;
    case 'contactUnknown':
      return `Whether the ${message} left is not known`;
    case 'contactWithdrawn':
      return `The ${message} was withdrawn${because}`;
    case 'paymentAllocated':
      return `Paid ${money()}${beside}, ${say('balance')} left`;
    case 'allocationReversed':
      return `A payment of ${money()} was taken off again (${say('why')}), ${say('balance')} owed`;
    case 'interestWaived':
      return `Waived: interest, compensation and costs of ${say('total')} ${say('currency')}`;
    case 'costsAdded':
      return `Costs of ${money()} are charged on`;
    case 'interestCorrected':
      return `A credit note took back interest that was paid: ${money()} of it counts for the principal, ${say('balance')} left`;
    case 'creditNoted':
      return `Credited ${money()}, ${say('balance')} left`;
    case 'promised':
      return `Promised ${money()} for ${say('payOn')}${data['holds'] === false ? ', beyond the policy’s limits: reminders go on' : ''}`;
    case 'promiseKept':
      return 'The promise was kept';
    case 'promiseBroken':
      return 'The promise was broken';
    case 'promiseWithdrawn':
      return promiseTaken(say('why'));
    case 'planAgreed':
      return `Instalment plan agreed: ${money()} in ${say('instalments')} from ${say('firstOn')} to ${say('lastOn')}, over ${data['invoices'] === 1 ? 'this invoice' : `${say('invoices')} invoices`}`;
    case 'planKept':
      return 'The instalment plan was kept to its end';
    case 'planBroken':
      return `The instalment plan was broken: an instalment was not paid by ${say('on')}, the whole balance falls due`;
    case 'planCancelled':
      return say('why') === 'changed' ? 'The instalment plan was changed' : 'The instalment plan was cancelled';
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
    case 'stepPulled':
      return `Step${step} pulled forward to ${say('on')}`;
    case 'approvalAsked':
      return `Approval asked for ${branch ?? `step${step}`}: ${money()}`;
    case 'approved':
      return branch ? `Approved: ${branch}` : `Step${step} approved`;
    case 'refused':
      return branch ? `Refused: ${branch}` : `Step${step} refused`;
    case 'formalNoticeSent':
      return `The formal notice left on ${say('on')}`;
    case 'settled':
      return 'Settled';
    case 'cancelled':
      return 'Cancelled: credited in full before any payment';
    case 'writtenOff':
      return `Written off: ${money()}`;
    case 'reopened':
      return `Reopened at stage ${say('stage')}`;
    case 'markedDoubtful':
      return `Held to be doubtful: ${money()}`;
    case 'doubtfulEnded':
      return 'Not doubtful any more: its allowance was released';
    case 'vatRelieved':
      return `VAT of ${money()} came back for the loss`;
    case 'vatDueAgain':
      return `VAT of ${money()} is due again`;
    case 'recovered':
      return `Recovered ${money()} after write-off`;
    case 'placed':
      return `Placed with an agency: ${money()}`;
    case 'recalled':
      return `Taken back from the agency${because}`;
    case 'agencyTold':
      return AGENCY_TOLD[say('message')] ?? 'The agency was told';
    case 'agencyReported':
      return agencyReport(say('report'), money());
    case 'agencyGaveUp':
      return 'The agency gave up';
    case 'limitationEvent':
      return limitationSummary(say);
    case 'lifecycleReported':
      return `E-invoice status ${say('status')} (${say('name')})`;
    case 'taskOpened':
      if (say('kind') === 'limitationNear') return `The claim is barred in ${say('days')} days, after ${say('on')}`;
      return `Task opened: ${say('kind')}`;
    case 'taskClosed':
      return `Task closed: ${say('kind')}`;
    case 'collectionFailed':
      return 'The direct debit failed';
    case 'insolvencyDeclared':
      return `Insolvency proceedings (${say('kind')}) of ${say('judgmentOn')}: nothing is asked for any more`;
    case 'insolvencyClosed':
      return `Insolvency proceedings ended on ${say('on')}: ${INSOLVENCY_ENDS[say('outcome')] ?? say('outcome')}`;
    case 'replied':
      return `The customer replied (${say('channel')})`;
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

function limitationSummary(say: (name: string) => string): string {
  const what = `${say('kind')} of ${say('on')}`;
  switch (say('status')) {
    case 'counts':
      return `Limitation: ${what} counts, the claim can be pursued until ${say('limitationOn')}`;
    case 'refused':
      return `Limitation: ${what} was not taken for an acknowledgement`;
    default:
      return `Limitation: ${what} may be an acknowledgement`;
  }
}

const INSOLVENCY_ENDS: Readonly<Record<string, string>> = {
  withdrawn: 'they were withdrawn, reminders go on',
  paid: 'what was declared was paid',
  planAdopted: 'the court adopted a plan, nothing is asked for',
  noAssets: 'there are no assets',
};

const AGENCY_TOLD: Readonly<Record<string, string>> = {
  handover: 'The agency was given the file',
  balance: 'The agency was told the new balance',
  recall: 'The agency was told that the case is taken back',
};

function agencyReport(report: string, money: string): string {
  switch (report) {
    case 'payment':
      return `The agency has collected ${money}`;
    case 'documentsWanted':
      return 'The agency asks for documents';
    default:
      return 'A note of the agency';
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

function noteNamed(step: string): string | null {
  if (step === THANK_YOU) return 'thank-you note';
  if (step === FORMAL_NOTICE) return 'formal notice';
  if (step === NOTICE_COPY) return 'copy of the formal notice';
  const note = planNoteOf(step);
  if (note === null) return null;
  if (note.note === 'agreed') return 'confirmation of the plan';
  return note.note === 'before' ? `note before instalment ${note.n}` : `note after missed instalment ${note.n}`;
}

function promiseTaken(why: string): string {
  if (why === 'plan') return 'The promise was replaced by a plan';
  return why === 'replaced' ? 'The promise was replaced by another' : 'The promise was withdrawn';
}
