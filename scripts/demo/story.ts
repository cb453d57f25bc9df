/**
 * What the people around the book do, day by day: the billing system, the bank, customers and the workshop's own staff.
 * What Relance does is nowhere here; it follows from this.
 */

export type Deed =
  /** The bank books money. `quotes` is what the payer wrote. */
  | { do: 'pay'; amount: string; quotes: string; payer: string; id: string; after?: Milestone }
  /** The bank's statement of all that it has told so far, and of money that no webhook told. */
  | { do: 'statement'; id: string; alone: { id: string; amount: string; quotes: string; payer: string }[] }
  /** The bank takes a booking back. */
  | { do: 'return'; of: string; amount: string; id: string; code: string }
  /** The bank says again what it said, as banks do: the same message, and the same booking in another message. */
  | { do: 'repeat'; of: string }
  | { do: 'promise'; invoice: number; payOnDay: number; amount?: string; by: string }
  | { do: 'dispute'; invoice: number; amount?: string; category: 'quantity' | 'price' | 'quality'; note: string }
  | { do: 'resolve'; invoice: number; outcome: 'upheld' | 'rejected' | 'partly'; credit?: string; note: string }
  | { do: 'credit'; invoice: number; amount: string; number: string; reason: string }
  | { do: 'pause' | 'resume'; invoice: number; reason: string }
  | { do: 'holdCustomer'; customer: string; reason: string }
  | { do: 'liftHold'; customer: string }
  | { do: 'newAddress'; customer: string; email: string }
  /** Somebody works off the open task of that kind, as soon as there is one. */
  | { do: 'task'; kind: 'call'; invoice: number; answer: 'promises' | 'noAnswer'; note: string }
  | { do: 'task'; kind: 'letter' | 'approve' | 'collectionMissing'; invoice: number; note: string }
  | { do: 'allocate'; receipt: string; to: { invoice: number; amount: string }[] }
  /** Dates are at least so many days away as the story says, however late the scene is played. */
  | { do: 'plan'; name: string; invoices: number[]; instalments: { day: number; amount: string }[] }
  | { do: 'approve'; invoice: number; step: Branch; note: string }
  /** The mailing house prints what waits, once the letter about that invoice does, and posts it. */
  | { do: 'post'; invoice: number }
  /** The post says that the registered letter about it has arrived. */
  | { do: 'delivered'; invoice: number }
  | { do: 'agencyGivesUp'; invoice: number; note: string }
  | { do: 'writeOff'; invoice: number; reason: string; after: Milestone }
  | { do: 'insolvency'; customer: string; judgmentDay: number; publishedDay: number; trustee: string }
  /** A customer writes back. */
  | { do: 'reply'; customer: string; invoice: number; text: string }
  /** Somebody reads that. */
  | { do: 'read'; customer: string; invoice: number; payOnDay: number; note: string }
  | { do: 'pauseAll' | 'resumeAll'; customer: string; reason: string };

/** What a person approves, by the step of its task. */
export type Branch = 'formalNotice' | 'placement' | 'writeOff';

/** What a deed waits for, so that it comes after it however late that is. */
export interface Milestone {
  invoice: number;
  /** `onTerms`: terms over it hold; where an outage broke them they are agreed once more. */
  is: 'noticePosted' | 'placed' | 'writtenOff' | 'onTerms';
}

export interface Scene {
  /** Day of the story and the hour (creditor's time) from which it happens. */
  readonly day: number;
  readonly hour: number;
  readonly deed: Deed;
  /** The endings hang on it: it is waited for as long as it takes. */
  readonly must?: true;
}

const must = (day: number, hour: number, deed: Deed): Scene => ({ day, hour, deed, must: true });

const at = (day: number, hour: number, deed: Deed): Scene => ({ day, hour, deed });

/** A transfer that quotes the number of its invoice. */
const paid = (day: number, invoice: number, amount: string, payer: string, more = ''): Scene =>
  at(day, 9, { do: 'pay', amount, quotes: numberOf(invoice), payer, id: `bank-${invoice}${more}` });

export const numberOf = (invoice: number): string => `LUM-26-${String(invoice).padStart(3, '0')}`;

export const STORY: readonly Scene[] = [
  // The bookshop's address bounces; somebody finds the right one.
  at(5, 10, { do: 'newAddress', customer: 'librairie', email: 'comptabilite@plume-et-encre.example' }),
  paid(17, 9, '312.40', 'librairie'),
  at(31, 9, {
    do: 'reply',
    customer: 'librairie',
    invoice: 10,
    text: 'Bonjour, le règlement part avec notre prochaine échéance. Cordialement',
  }),
  at(31, 15, { do: 'read', customer: 'librairie', invoice: 10, payOnDay: 37, note: 'They pay with their next run.' }),
  paid(36, 10, '118.90', 'librairie'),

  // The brasserie pays a part, promises the rest, and keeps its word.
  at(11, 11, { do: 'pay', amount: '600.00', quotes: 'acompte LUM-26-001', payer: 'brasserie', id: 'bank-1a' }),
  at(12, 10, { do: 'promise', invoice: 1, payOnDay: 22, by: 'service comptable' }),
  at(15, 9, { do: 'pay', amount: '860.00', quotes: 'FACTURE LUM-26-002', payer: 'brasserie', id: 'bank-2' }),
  paid(18, 3, '430.50', 'brasserie'),
  paid(22, 1, '640.00', 'brasserie', 'b'),
  // This one no webhook tells: it is in the statement of the evening alone.
  at(37, 20, {
    do: 'statement',
    id: 'statement-1',
    alone: [{ id: 'bank-4', amount: '715.20', quotes: numberOf(4), payer: 'brasserie' }],
  }),

  // The hotel breaks its promise, is called, promises again and pays.
  at(9, 15, { do: 'promise', invoice: 6, payOnDay: 14, by: 'réception' }),
  at(18, 10, { do: 'task', kind: 'call', invoice: 6, answer: 'promises', note: 'Reached the owner: pays this week.' }),
  paid(35, 6, '2980.00', 'hotel'),
  paid(19, 8, '990.00', 'hotel'),
  at(26, 10, { do: 'pause', invoice: 7, reason: 'Delivered to the wrong house; we check.' }),
  at(33, 10, { do: 'resume', invoice: 7, reason: 'Delivery is confirmed.' }),
  paid(44, 7, '415.00', 'hotel'),

  // The town pays what was long due; for the other invoice it takes a letter.
  paid(11, 11, '2160.00', 'commune'),
  at(20, 10, { do: 'task', kind: 'letter', invoice: 12, note: 'Posted.' }),
  paid(45, 12, '5400.00', 'commune'),

  // Above 20 000 € somebody with authority has to agree to every step.
  at(4, 9, { do: 'task', kind: 'approve', invoice: 14, note: 'Go ahead.' }),
  at(11, 9, { do: 'task', kind: 'approve', invoice: 14, note: 'Still nothing: yes.' }),
  paid(16, 14, '24800.00', 'architectes'),
  at(16, 14, {
    do: 'dispute',
    invoice: 15,
    amount: '900.00',
    category: 'quantity',
    note: 'Two of the eight lamps were not in the delivery.',
  }),
  at(25, 11, {
    do: 'resolve',
    invoice: 15,
    outcome: 'partly',
    credit: '450.00',
    note: 'One was missing, one was returned.',
  }),
  paid(34, 15, '3150.00', 'architectes'),
  at(26, 14, { do: 'dispute', invoice: 16, category: 'price', note: 'Says another price was agreed.' }),
  at(33, 15, { do: 'resolve', invoice: 16, outcome: 'rejected', note: 'The order confirms our price.' }),
  paid(46, 16, '1150.00', 'architectes'),

  // The inn's first direct debit comes back, the second is collected, the third never shows up.
  at(9, 9, { do: 'pay', amount: '780.00', quotes: 'Lastschrift LUM-26-017', payer: 'gasthof', id: 'bank-17' }),
  at(12, 10, { do: 'return', of: 'bank-17', amount: '780.00', id: 'bank-17r', code: 'AM04' }),
  at(26, 9, { do: 'pay', amount: '780.00', quotes: 'Rechnung LUM-26-017', payer: 'gasthof', id: 'bank-17b' }),
  at(24, 9, { do: 'pay', amount: '640.00', quotes: 'Lastschrift LUM-26-018', payer: 'gasthof', id: 'bank-18' }),
  at(17, 10, { do: 'task', kind: 'collectionMissing', invoice: 19, note: 'The bank says: refused.' }),
  paid(38, 19, '220.00', 'gasthof'),

  // The furniture house pays and its bank calls the money back: the case opens again.
  paid(15, 20, '4120.00', 'moebelhaus'),
  at(19, 10, { do: 'return', of: 'bank-20', amount: '4120.00', id: 'bank-20r', code: 'AC04' }),
  paid(33, 20, '4120.00', 'moebelhaus', 'b'),
  at(18, 11, { do: 'credit', invoice: 21, amount: '380.00', number: 'AV-26-001', reason: 'One shade came back.' }),
  paid(25, 21, '1600.00', 'moebelhaus'),
  paid(39, 22, '2450.00', 'moebelhaus'),

  // The practice pays 1 060 € for an invoice of 560 €: a person sees what the rest is for.
  at(12, 9, { do: 'pay', amount: '1060.00', quotes: 'LUM-26-023', payer: 'praxis', id: 'bank-23' }),
  at(15, 10, {
    do: 'allocate',
    receipt: 'bank-23',
    to: [
      { invoice: 23, amount: '560.00' },
      { invoice: 24, amount: '500.00' },
    ],
  }),
  paid(36, 25, '275.00', 'praxis'),

  // The lighting designers forget to quote, and their bank repeats itself.
  at(22, 9, {
    do: 'pay',
    amount: '1725.00',
    quotes: 'Ihre Leuchten, vielen Dank',
    payer: 'lichtplanung',
    id: 'bank-26',
  }),
  at(24, 11, { do: 'allocate', receipt: 'bank-26', to: [{ invoice: 26, amount: '1725.00' }] }),
  paid(30, 27, '890.00', 'lichtplanung'),
  at(30, 10, { do: 'repeat', of: 'bank-27' }),
  at(49, 10, { do: 'post', invoice: 28 }),

  // Bristol pays two of three; about the third they talk.
  paid(17, 29, '1450.00', 'harbour'),
  paid(18, 31, '640.00', 'harbour'),
  at(20, 11, { do: 'holdCustomer', customer: 'harbour', reason: 'We talk about a larger order.' }),
  at(29, 11, { do: 'liftHold', customer: 'harbour' }),
  paid(40, 30, '2300.00', 'harbour'),
  paid(43, 32, '980.00', 'harbour'),

  // Galway does not answer; pays another in two parts; a third is cancelled.
  at(20, 14, { do: 'task', kind: 'call', invoice: 33, answer: 'noAnswer', note: 'Rang out.' }),
  at(24, 9, { do: 'pay', amount: '400.00', quotes: 'part of LUM-26-034', payer: 'ballymoor', id: 'bank-34a' }),
  at(32, 9, { do: 'pay', amount: '375.00', quotes: 'rest of LUM-26-034', payer: 'ballymoor', id: 'bank-34b' }),
  at(27, 10, { do: 'credit', invoice: 35, amount: '1200.00', number: 'AV-26-002', reason: 'The order was cancelled.' }),

  // Manchester: early, late, later.
  paid(18, 36, '3480.00', 'oakhollow'),
  paid(29, 37, '510.00', 'oakhollow'),
  paid(50, 38, '1150.00', 'oakhollow'),

  // The caterer gets terms and keeps them: what comes is paid into the plan, in the order of its dates.
  must(9, 10, {
    do: 'plan',
    name: 'traiteur',
    invoices: [41, 42],
    instalments: [
      { day: 23, amount: '900.00' },
      { day: 33, amount: '900.00' },
      { day: 43, amount: '900.00' },
    ],
  }),
  instalment(13, 41, '900.00', 'traiteur', 'a'),
  instalment(23, 41, '900.00', 'traiteur', 'b'),
  instalment(33, 42, '900.00', 'traiteur', ''),

  // The studio pays the first date of its terms and no other: the whole rest falls due, and is put in default.
  must(9, 11, {
    do: 'plan',
    name: 'studio',
    invoices: [43],
    instalments: [
      { day: 16, amount: '800.00' },
      { day: 23, amount: '800.00' },
      { day: 30, amount: '800.00' },
    ],
  }),
  must(13, 9, { do: 'pay', amount: '800.00', quotes: numberOf(43), payer: 'studio', id: 'bank-43' }),
  must(29, 10, { do: 'approve', invoice: 43, step: 'formalNotice', note: 'The terms were not kept.' }),
  must(31, 14, { do: 'post', invoice: 43 }),

  // The joiner takes the formal notice to pay.
  ...noticed(44),
  must(21, 9, {
    do: 'pay',
    amount: '1365.00',
    quotes: 'Rechnung LUM-26-044',
    payer: 'schreinerei',
    id: 'bank-44',
    after: { invoice: 44, is: 'noticePosted' },
  }),

  // The gallery is handed over and pays us all the same: the agency is told to stop.
  ...noticed(45),
  must(26, 10, { do: 'approve', invoice: 45, step: 'placement', note: 'No answer to the notice.' }),
  must(34, 9, {
    do: 'pay',
    amount: '3980.00',
    quotes: 'solde LUM-26-045',
    payer: 'galerie',
    id: 'bank-45',
    after: { invoice: 45, is: 'placed' },
  }),

  // The agency finds nothing at the hall; what is owed is given up.
  ...noticed(46),
  must(26, 11, { do: 'approve', invoice: 46, step: 'placement', note: 'No answer to the notice.' }),
  must(38, 10, { do: 'agencyGivesUp', invoice: 46, note: 'Closed since January, nothing to seize.' }),
  must(39, 10, { do: 'approve', invoice: 46, step: 'writeOff', note: 'Nothing to be had.' }),

  // The tearooms are given up without an agency, and pay when a new owner comes.
  ...noticed(47),
  must(30, 11, {
    do: 'writeOff',
    invoice: 47,
    reason: 'Too little for an agency abroad.',
    after: { invoice: 47, is: 'noticePosted' },
  }),
  must(44, 9, {
    do: 'pay',
    amount: '610.00',
    quotes: 'old account LUM-26-047',
    payer: 'tearooms',
    id: 'bank-47',
    after: { invoice: 47, is: 'writtenOff' },
  }),

  // Proceedings over the joinery stop everything about what was owed by then; what it buys later is its own lane.
  must(17, 11, {
    do: 'insolvency',
    customer: 'menuiserie',
    judgmentDay: 12,
    publishedDay: 17,
    trustee: 'Étude Valdor et Associés\n3 rue du Palais\n44000 Nantes',
  }),
  paid(39, 50, '640.00', 'menuiserie'),

  // While Manchester moves nobody writes to it: one command for all of its cases.
  at(46, 9, { do: 'pauseAll', customer: 'oakhollow', reason: 'Their office moves.' }),
  at(50, 9, { do: 'resumeAll', customer: 'oakhollow', reason: 'They have moved.' }),
];

/** Approved, posted and delivered: what a formal notice takes. */
function noticed(invoice: number): Scene[] {
  return [
    must(12, 15, { do: 'approve', invoice, step: 'formalNotice', note: 'Two reminders, no answer.' }),
    must(15, 14, { do: 'post', invoice }),
    must(17, 11, { do: 'delivered', invoice }),
  ];
}

/** Money for a plan that is kept, well ahead of its date. */
function instalment(day: number, invoice: number, amount: string, payer: string, more: string): Scene {
  const after = { invoice, is: 'onTerms' } as const;
  return must(day, 9, { do: 'pay', amount, quotes: numberOf(invoice), payer, id: `bank-${invoice}${more}`, after });
}
