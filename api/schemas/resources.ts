import { z } from 'zod';
import { CONFIDENCES, RULES } from '../../domain/matching/types.ts';
import { TERM_KINDS, TERM_SECTORS } from '../../domain/law/payment-terms.ts';
import { CONTACT_ROLES, CUSTOMER_KINDS } from '../../domain/policy/types.ts';
import {
  address,
  amountOut,
  country,
  currency,
  email,
  id,
  instant,
  line,
  locale,
  localDate,
  policyName,
  timeZone,
} from './common.ts';

/** Resources as they are answered. */

export const ROLES = ['operator', 'approver', 'agency'] as const;
export const STAGES = [
  'upcoming',
  'reminding',
  'formalNotice',
  'placed',
  'writtenOff',
  'settled',
  'cancelled',
] as const;
export const HOLD_KINDS = [
  'promise',
  'dispute',
  'plan',
  'pause',
  'approval',
  'insolvency',
  'unappliedCash',
  'customer',
] as const;
export const DISPUTE_CATEGORIES = [
  'price',
  'quantity',
  'quality',
  'delivery',
  'duplicate',
  'alreadyPaid',
  'missingDocument',
  'other',
] as const;
export const CONTACT_STATUSES = ['queued', 'sending', 'sent', 'delivered', 'failed', 'unknown', 'withdrawn'] as const;
export const INSOLVENCY_KINDS = ['safeguard', 'receivership', 'liquidation', 'other'] as const;
export const INSOLVENCY_OUTCOMES = ['withdrawn', 'planAdopted', 'paid', 'noAssets'] as const;
export const INBOUND_CHANNELS = ['email', 'call', 'letter'] as const;
export const TASK_STATUSES = ['open', 'done', 'missed', 'cancelled'] as const;

export const period = z.strictObject({ from: localDate, to: localDate }).meta({ id: 'Period' });

const days = z.int().min(1).max(36_500).nullable();

/** Days that each kind of record is kept; null: for ever. */
const retention = {
  mailBodies: days.meta({ description: 'Texts and recipients of messages, from the day they left. Default 3650.' }),
  documents: days.meta({ description: 'Letters, e-mail sources and call scripts. Default 3650.' }),
  eventTexts: days.meta({ description: 'Reasons and notes on timelines. Default 3650.' }),
  inbox: days.meta({ description: 'What banks sent, as it came. Default 730.' }),
  imports: days.meta({ description: 'Files that were imported, remittance advices as they came. Default 730.' }),
  idempotencyKeys: z.int().min(1).max(365).nullable().meta({ description: 'Stored answers. Default 7.' }),
};

export const retentionSetting = z
  .strictObject(retention)
  .partial()
  .meta({ id: 'RetentionSetting', example: { mailBodies: 1095, inbox: 365 } });

export const creditor = z
  .object({
    id: id('cre'),
    name: z.string(),
    country,
    timeZone,
    locale,
    senderEmail: email,
    replyTo: email.nullable(),
    address: address.nullable(),
    registrationId: z.string().nullable(),
    vatId: z.string().nullable(),
    iban: z.string().nullable(),
    defaultPolicy: policyName.nullable(),
    paymentDays: z.int(),
    closedWeeks: z.array(period),
    replyHoldWorkingDays: z
      .int()
      .meta({ description: 'Working days for which an unread reply holds the customer; 0: not at all.' }),
    defaultAgency: id('agy').nullable().meta({ description: 'Where cases are placed when nobody names an agency.' }),
    paymentSentDays: z.int().meta({
      description: 'Days for which a case rests once the customer’s platform says that a payment was sent.',
    }),
    collectsFor: z
      .object({
        principal: z.object({ name: z.string(), addressLines: z.array(z.string()) }),
        insurance: z.object({ insurer: z.string(), policyNumber: z.string(), validUntil: localDate }),
        dedicatedIban: z.string(),
        declaration: z.object({ court: z.string(), declaredOn: localDate }),
        mandate: z.object({
          signedOn: localDate,
          powerToReceive: z.boolean(),
          itemisedSums: z.boolean(),
          guarantee: z.boolean(),
          fee: z.boolean(),
          remittance: z.boolean(),
        }),
      })
      .nullable()
      .meta({ description: 'For whom it collects; null: for itself, in its own name.' }),
    retention: z.object(retention).meta({ id: 'Retention' }),
    createdAt: instant,
  })
  .meta({ id: 'Creditor' });

export const person = z
  .strictObject({
    name: line(200).optional(),
    role: z.enum(CONTACT_ROLES).optional(),
    email: email.optional(),
    phone: line(40).optional(),
  })
  .meta({ id: 'ContactPerson', example: { name: 'Accounts payable', role: 'billing', email: 'billing@example.com' } });

export const customerKind = z.enum(CUSTOMER_KINDS);

export const customer = z
  .object({
    id: id('cus'),
    reference: z.string(),
    name: z.string(),
    kind: customerKind,
    country,
    locale,
    timeZone,
    registrationId: z.string().nullable(),
    vatId: z.string().nullable(),
    address: address.nullable(),
    contacts: z.array(person),
    policy: policyName.nullable(),
    parentId: id('cus').nullable().meta({ description: 'The customer that pays for this one.' }),
    insolvency: z
      .object({
        id: id('ins'),
        status: z.enum(['open', 'closed']),
        kind: z.enum(INSOLVENCY_KINDS),
        judgmentOn: localDate,
        outcome: z.enum(INSOLVENCY_OUTCOMES).nullable(),
      })
      .nullable()
      .meta({ description: 'Proceedings that are open or still hold invoices; null without any.' }),
    createdAt: instant,
  })
  .meta({ id: 'Customer' });

export const insolvency = z
  .object({
    id: id('ins'),
    customerId: id('cus'),
    status: z.enum(['open', 'closed']),
    kind: z.enum(INSOLVENCY_KINDS),
    judgmentOn: localDate,
    publishedOn: localDate.nullable(),
    declareBy: localDate.nullable().meta({
      description:
        'The last day to declare claims; reckoned from the judgment, and so provisional, while the notice is not known. ' +
        'Null where the law of the place is not known here.',
    }),
    trustee: z.string().nullable(),
    outcome: z.enum(INSOLVENCY_OUTCOMES).nullable(),
    closedOn: localDate.nullable(),
    invoiceIds: z.array(id('inv')).meta({ description: 'What the proceedings hold or have held.' }),
    taskId: id('tsk').nullable().meta({ description: 'To declare the claims.' }),
    documentId: id('doc').nullable().meta({
      description: 'The form to declare with, a moment after the request; the first where there is one per currency.',
    }),
  })
  .meta({ id: 'Insolvency' });

export const inbound = z
  .object({
    id: id('inb'),
    customerId: id('cus'),
    channel: z.enum(INBOUND_CHANNELS),
    receivedAt: instant,
    text: z.string().nullable().meta({ description: 'Null once it was erased.' }),
    invoiceIds: z.array(id('inv')),
    holdId: id('hol').nullable(),
    taskId: id('tsk').nullable(),
    until: localDate.nullable().meta({ description: 'The last day held, unless it is read before.' }),
    readAt: instant.nullable(),
  })
  .meta({ id: 'Inbound' });

export const hold = z
  .object({
    id: z.string(),
    kind: z.enum(HOLD_KINDS),
    until: localDate.nullable().meta({ description: 'Its last day; null until a person or an event ends it.' }),
    amount: amountOut.nullable().meta({ description: 'The part that is held; null for the whole.' }),
  })
  .meta({ id: 'Hold' });

export const nextAction = z
  .object({
    at: instant,
    action: z.enum([
      'contact',
      'task',
      'approval',
      'promiseEnds',
      'planEnds',
      'holdEnds',
      'formalNotice',
      'placement',
      'writeOff',
    ]),
    step: z.string().nullable(),
    reason: z.string(),
  })
  .meta({ id: 'NextAction' });

export const warning = z
  .object({
    code: z.enum(['paymentTermTooLong', 'paymentTermUnsaid', 'mentionMissing', 'mentionsNotSeen']),
    message: z.string(),
    limitOn: localDate.nullable().meta({ description: 'The last due date within the maximum.' }),
    source: z.string(),
  })
  .meta({ id: 'LawWarning' });

export const invoice = z
  .object({
    id: id('inv'),
    number: z.string(),
    customerId: id('cus'),
    workflowId: z.string(),
    stage: z.enum(STAGES),
    holds: z.array(hold),
    issuedOn: localDate,
    dueOn: localDate,
    amount: amountOut,
    balance: amountOut,
    accessories: amountOut.meta({
      description: 'Interest, compensation and costs that are still claimed although the principal is paid.',
    }),
    disputed: amountOut,
    promised: amountOut,
    writtenOff: amountOut.meta({ description: 'What was given up of it.' }),
    recovered: amountOut.meta({ description: 'What came of that later after all.' }),
    currency,
    references: z.array(z.string()),
    orderReference: z.string().nullable(),
    vat: z.array(z.object({ rate: z.string(), net: z.string(), vat: z.string() })),
    collection: z.object({ method: z.enum(['transfer', 'directDebit']), on: localDate.nullable() }),
    chaseFrom: localDate.nullable(),
    lastStepSent: z.string().nullable(),
    discount: z
      .object({ until: localDate, amount: amountOut })
      .nullable()
      .meta({ description: 'What paying until that day takes off; later it is a short payment.' }),
    terms: z
      .object({
        kind: z.enum(TERM_KINDS).nullable(),
        sector: z.enum(TERM_SECTORS).nullable(),
        receivedOn: localDate.nullable(),
        expresslyAgreed: z.boolean(),
      })
      .nullable()
      .meta({ description: 'How the payment term was agreed; null where nobody said.' }),
    limitationOn: localDate.nullable().meta({
      description: 'The last day on which the claim can be pursued; null where the law of the place is not known here.',
    }),
    limitationYears: z.int().nullable(),
    warnings: z
      .array(warning)
      .meta({ description: 'What the law may object to; the invoice is looked after all the same.' }),
    policy: z.object({ name: z.string(), version: z.int() }),
    next: nextAction.nullable(),
    createdAt: instant,
  })
  .meta({
    id: 'Invoice',
    example: {
      id: 'inv_01jd3k8x7v5r2m9t4w6y0b1c2d',
      number: 'INV-2026-0042',
      customerId: 'cus_01jd3k8x7v5r2m9t4w6y0b1c2d',
      workflowId: 'case/inv_01jd3k8x7v5r2m9t4w6y0b1c2d',
      stage: 'reminding',
      holds: [],
      issuedOn: '2026-10-01',
      dueOn: '2026-10-31',
      amount: '1200.00',
      balance: '1200.00',
      accessories: '0.00',
      disputed: '0.00',
      promised: '0.00',
      writtenOff: '0.00',
      recovered: '0.00',
      currency: 'EUR',
      references: [],
      orderReference: null,
      vat: [{ rate: '20', net: '1000.00', vat: '200.00' }],
      collection: { method: 'transfer', on: null },
      chaseFrom: null,
      lastStepSent: null,
      discount: null,
      terms: null,
      limitationOn: '2031-10-31',
      limitationYears: null,
      warnings: [],
      policy: { name: 'fr-business', version: 1 },
      next: { at: '2026-11-12T08:30:00.000Z', action: 'contact', step: 'reminder-2', reason: 'stepDue' },
      createdAt: '2026-10-01T09:00:00.000Z',
    },
  });

export const allocation = z
  .object({
    id: id('all'),
    receiptId: id('rec').nullable(),
    creditNoteId: id('cno').nullable(),
    invoiceId: id('inv'),
    amount: amountOut,
    principal: amountOut.meta({
      description: 'What of it lowered the balance; the rest went to interest and the like.',
    }),
    currency,
    on: localDate,
    rule: z.string(),
    actor: z.string(),
    reversedOn: localDate.nullable(),
  })
  .meta({ id: 'Allocation' });

export const receipt = z
  .object({
    id: id('rec'),
    customerId: id('cus').nullable(),
    feedId: id('fee').nullable(),
    externalId: z.string().nullable(),
    bookedOn: localDate,
    amount: amountOut,
    unapplied: amountOut,
    returned: amountOut,
    setAside: amountOut.meta({ description: 'What a person put aside: none of the invoices’ money.' }),
    currency,
    payerName: z.string().nullable(),
    payerIban: z.string().nullable(),
    remittance: z.string().nullable(),
    endToEndId: z.string().nullable(),
    method: z.string().nullable(),
    byPerson: z.boolean().meta({ description: 'A person had a hand in it: no rule touches it any more.' }),
    allocations: z.array(allocation),
    createdAt: instant,
  })
  .meta({ id: 'Receipt' });

/** Money for one invoice as a proposal of matching has it. */
const proposedAllocation = z.object({
  invoiceId: id('inv'),
  number: z.string(),
  amount: amountOut,
  writeOff: z
    .object({ kind: z.enum(['difference', 'discount', 'bankFees']), amount: amountOut })
    .optional()
    .meta({ description: 'What of the invoice is given up with it.' }),
});

const proposal = {
  rule: z.enum(RULES),
  confidence: z.enum(CONFIDENCES),
  allocations: z.array(proposedAllocation),
  reasons: z.array(z.object({ kind: z.string(), text: z.string() })),
};

export const candidate = z
  .object({
    key: z.string().meta({ description: 'The same as long as the same money would go to the same invoices.' }),
    customerId: id('cus').nullable().meta({ description: 'Whose invoices these are; null where several customers’.' }),
    ...proposal,
  })
  .meta({ id: 'Candidate' });

export const matchDecision = z
  .object({
    outcome: z.enum(['applied', 'review']),
    rule: z.string().nullable(),
    confidence: z.string().nullable(),
    reason: z
      .object({ code: z.string(), text: z.string() })
      .nullable()
      .meta({ description: 'Why it waits for a person.' }),
    allocations: z.array(proposedAllocation),
    reasons: z.array(z.object({ kind: z.string(), text: z.string() })),
    rivals: z.array(z.object(proposal)),
    settingsVersion: z.int().meta({ description: 'The version of the settings it was made under; 0: the defaults.' }),
    at: instant,
  })
  .meta({ id: 'MatchDecision', description: 'Why money went where it went, or waits for a person.' });

export const receiptDetail = receipt.extend({ decision: matchDecision.nullable() }).meta({ id: 'ReceiptDetail' });

export const remittance = z
  .object({
    id: id('adv'),
    status: z.enum(['open', 'used', 'withdrawn']),
    customerId: id('cus').nullable(),
    reference: z.string().nullable(),
    paidOn: localDate.nullable(),
    currency,
    total: amountOut,
    format: z.enum(['json', 'csv', 'text', 'pdf']),
    receiptId: id('rec').nullable().meta({ description: 'The money that it was used for.' }),
    lines: z.array(
      z.object({
        number: z.string(),
        invoiceId: id('inv').nullable().meta({ description: 'Null while no one invoice has the number.' }),
        amount: amountOut,
      }),
    ),
    createdAt: instant,
  })
  .meta({ id: 'Remittance', description: 'What a payer says that its money is for.' });

export const TRANSACTION_STATES = ['pending', 'provisional', 'suspect', 'waiting', 'done'] as const;

export const bankTransaction = z
  .object({
    id: id('btx'),
    feedId: id('fee'),
    status: z.enum(['booked', 'pending', 'information']),
    state: z.enum(TRANSACTION_STATES).meta({
      description:
        'provisional: announced, moves no money yet; suspect: may have been told before, a person says; waiting: a return ' +
        'whose payment has not come; pending: about to be applied.',
    }),
    outcome: z.enum(['receipt', 'return', 'debit', 'ownReturn', 'duplicate']).nullable(),
    bookedOn: localDate,
    valueOn: localDate.nullable(),
    amount: amountOut.meta({ description: 'With a minus where money went.' }),
    currency,
    counterpartyName: z.string().nullable(),
    counterpartyAccount: z.string().nullable(),
    remittance: z.string().nullable(),
    endToEndId: z.string().nullable(),
    bankId: z.string().nullable(),
    receiptId: id('rec').nullable(),
    sameAs: id('btx').nullable().meta({ description: 'What a suspect may be the same as.' }),
    createdAt: instant,
  })
  .meta({ id: 'BankTransaction' });

export const creditNote = z
  .object({
    id: id('cno'),
    number: z.string(),
    customerId: id('cus'),
    invoiceId: id('inv').nullable(),
    amount: amountOut,
    unapplied: amountOut,
    currency,
    issuedOn: localDate,
    reason: z.string().nullable(),
  })
  .meta({ id: 'CreditNote' });

export const promise = z
  .object({
    id: id('pro'),
    invoiceId: id('inv'),
    payOn: localDate,
    amount: amountOut.nullable(),
    currency,
    by: z.string().nullable(),
    holds: z
      .boolean()
      .meta({ description: 'False where it was beyond the policy’s limits: kept, but it stops nothing.' }),
    graceDays: z.int(),
    status: z.enum(['active', 'kept', 'broken', 'withdrawn']),
    madeOn: localDate,
    endedOn: localDate.nullable(),
  })
  .meta({ id: 'Promise' });

export const PLAN_STATUSES = ['active', 'kept', 'broken', 'cancelled'] as const;

export const plan = z
  .object({
    id: id('pla'),
    status: z.enum(PLAN_STATUSES),
    customerId: id('cus'),
    invoiceIds: z.array(id('inv')),
    currency,
    total: amountOut,
    paid: amountOut.meta({
      description: 'What the balances of its invoices have fallen by since it was agreed, until it ended.',
    }),
    graceDays: z.int().meta({ description: 'Days after its date on which an instalment still counts as kept.' }),
    agreedOn: localDate,
    endedOn: localDate.nullable(),
    replaces: id('pla').nullable().meta({ description: 'The plan in whose place this one was agreed.' }),
    instalments: z.array(
      z.object({
        n: z.int(),
        dueOn: localDate,
        amount: amountOut,
        paid: amountOut,
        status: z
          .enum(['paid', 'partly', 'due', 'late', 'open'])
          .meta({ description: 'Today; of a plan that has ended, on the day it did.' }),
      }),
    ),
    createdAt: instant,
  })
  .meta({ id: 'Plan' });

export const dispute = z
  .object({
    id: id('dis'),
    invoiceId: id('inv'),
    amount: amountOut.nullable(),
    currency,
    category: z.enum(DISPUTE_CATEGORIES),
    note: z.string().nullable(),
    status: z.enum(['open', 'upheld', 'rejected', 'partly', 'closed']),
    openedOn: localDate,
    resolvedOn: localDate.nullable(),
    resolutionNote: z.string().nullable(),
    creditNoteId: id('cno').nullable(),
  })
  .meta({ id: 'Dispute' });

export const task = z
  .object({
    id: id('tsk'),
    kind: z.string().meta({ example: 'call' }),
    status: z.enum(TASK_STATUSES),
    role: z.enum(['operator', 'approver']),
    invoiceId: id('inv').nullable(),
    customerId: id('cus').nullable(),
    contactId: id('con').nullable(),
    receiptId: id('rec').nullable(),
    step: z.string().nullable(),
    dueAt: instant,
    subject: z.string(),
    body: z.string(),
    data: z.record(z.string(), z.unknown()),
    openedAt: instant,
    closedAt: instant.nullable(),
    closedBy: z.string().nullable(),
    outcome: z.record(z.string(), z.unknown()).nullable(),
  })
  .meta({ id: 'Task' });

export const contact = z
  .object({
    id: id('con'),
    customerId: id('cus'),
    kind: z.enum(['beforeDue', 'reminder', 'formalNotice', 'plan', 'thankYou']),
    channel: z.enum(['email', 'call', 'letter', 'registeredLetter']),
    status: z.enum(CONTACT_STATUSES),
    reference: z.string(),
    subject: z.string().nullable(),
    tone: z.enum(['courteous', 'neutral', 'firm', 'final']),
    template: z.string(),
    templateVersion: z.int().nullable().meta({ description: 'Of the creditor’s own text; null for the built-in one.' }),
    to: z.array(z.string()),
    cc: z.array(z.string()),
    plannedAt: instant,
    sentAt: instant.nullable(),
    finishedAt: instant.nullable(),
    errorCode: z.string().nullable(),
    taskId: id('tsk').nullable(),
    post: z
      .object({
        printBatchId: id('prb').nullable(),
        dispatchedOn: localDate.nullable(),
        deliveredOn: localDate.nullable(),
        refusedOn: localDate.nullable(),
        returnedOn: localDate.nullable(),
        trackingNumber: z.string().nullable(),
      })
      .nullable()
      .meta({ description: 'What the post did with a letter; null for everything else.' }),
    erased: z.boolean().meta({ description: 'Its text and recipients were erased.' }),
    items: z.array(z.object({ invoiceId: id('inv'), step: z.string(), amount: amountOut, currency })),
  })
  .meta({ id: 'Contact' });

export const foretold = z
  .object({
    at: instant,
    action: nextAction.shape.action,
    step: z.string().nullable(),
    channel: z.enum(['email', 'call', 'letter', 'registeredLetter']).nullable(),
    reason: z.string(),
  })
  .meta({ id: 'Foretold' });
