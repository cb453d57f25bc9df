import { addDays, type LocalDate } from '../../domain/time/dates.ts';

/**
 * The book that the demo plays: a workshop for lamps, nineteen customers in three languages, fifty invoices. All of them are
 * invented; their addresses end in the reserved domain `.example`. Days count from the start of the story, a Sunday.
 */

/** Day 0. The story begins the Monday after and ends before day {@link LAST_DAY} is over. */
export const DAY_ZERO: LocalDate = '2026-03-01';
export const LAST_DAY = 56;

/** Where the demo's clock begins: on the Saturday before, so that the book is there when the week begins. */
export const CLOCK_BEGINS = '2026-02-28T04:00:00Z';

/** The calendar date of a day of the story. */
export const dayOf = (day: number): LocalDate => addDays(DAY_ZERO, day);

/** Working hours in which the whole of a small office writes; the gap keeps its messages apart. */
const OFFICE = {
  days: 'mon-fri',
  from: '08:30',
  to: '18:30',
  minimumGapDays: 3,
  maximumPer30Days: 6,
  holidays: 'customer',
};

const SHARED = {
  entry: 'first',
  late: 'merge',
  noAddress: 'task',
  call: { retryWorkingDays: 2, attempts: 2 },
  thankYou: 'thank-you',
  formalNotice: null,
  placement: null,
  writeOff: null,
  promise: { graceDays: 2, maxDays: 21, maxBroken: 2 },
  dispute: { reviewDays: 7 },
  plan: { maxInstalments: 6, graceDays: 5 },
  unappliedCash: { holdShare: '0.5', holdWorkingDays: 3 },
  tolerance: { EUR: '0.10', GBP: '0.10' },
  interest: null,
  contact: OFFICE,
  minimumAmount: { EUR: '10.00', GBP: '10.00' },
  approvalAbove: { EUR: '20000.00', GBP: '20000.00' },
};

/** Days a formal notice leaves for paying. */
export const NOTICE_DAYS = 8;

const BEFORE_DUE = { key: 'before-due', day: -4, from: 'due', channel: 'email', template: 'before-due' };
const REMINDER_1 = {
  key: 'reminder-1',
  day: 3,
  from: 'due',
  channel: 'email',
  template: 'reminder',
  tone: 'courteous',
  attachInvoice: true,
};
const REMINDER_2 = { key: 'reminder-2', day: 9, from: 'due', channel: 'email', template: 'reminder', tone: 'firm' };
const CALL = { key: 'call', day: 14, from: 'due', channel: 'call', template: 'call-script' };

/** The workshop's own ladders, quicker than the presets: a story of eight weeks shall show their ends. */
export const POLICIES = [
  {
    ...SHARED,
    name: 'lumen',
    steps: [
      BEFORE_DUE,
      REMINDER_1,
      { ...REMINDER_2, cc: ['manager'] },
      CALL,
      {
        key: 'last',
        day: 19,
        from: 'due',
        channel: 'email',
        template: 'last-reminder',
        tone: 'final',
        cc: ['manager'],
      },
    ],
  },
  {
    ...SHARED,
    name: 'lumen-by-letter',
    steps: [
      BEFORE_DUE,
      REMINDER_1,
      REMINDER_2,
      { key: 'last', day: 16, from: 'due', channel: 'letter', template: 'last-reminder', tone: 'final' },
    ],
  },
  // Two reminders, then the branches: everything irreversible is approved by a person.
  {
    ...SHARED,
    name: 'lumen-to-the-end',
    steps: [
      { ...REMINDER_1, day: 2 },
      { key: 'last', day: 7, from: 'due', channel: 'email', template: 'last-reminder', tone: 'final' },
    ],
    formalNotice: {
      day: 11,
      from: 'due',
      channel: 'registeredLetter',
      deadlineDays: NOTICE_DAYS,
      dispatchDays: 3,
      approval: 'approver',
    },
    placement: { daysAfterNotice: 10, approval: 'approver' },
    // The notice states interest and the 40 EUR; who then pays the invoice is spared them.
    interest: { claim: 'fromNotice', whenPrincipalPaid: 'waive', contractRate: null },
    writeOff: { afterPlacementDays: 180, below: { EUR: '30.00', GBP: '30.00' }, approval: 'approver' },
  },
] as const;

export type PolicyName = (typeof POLICIES)[number]['name'];

export interface BookCustomer {
  readonly reference: string;
  readonly name: string;
  readonly kind: 'business' | 'publicBody';
  readonly country: 'FR' | 'DE' | 'GB' | 'IE';
  readonly locale: 'fr' | 'de' | 'en';
  readonly policy: PolicyName;
  readonly address: { lines: string[]; postalCode: string; city: string; country: string };
  readonly contacts: { role: string; email: string; phone?: string }[];
  /** The account its money comes from; none of them exists. */
  readonly iban: string;
}

export const CUSTOMERS = {
  brasserie: {
    reference: 'C-101',
    name: 'Brasserie du Quai Vert SARL',
    kind: 'business',
    country: 'FR',
    locale: 'fr',
    policy: 'lumen',
    address: { lines: ['12 quai Vert'], postalCode: '44100', city: 'Nantes', country: 'FR' },
    contacts: [
      { role: 'billing', email: 'factures@quai-vert.example' },
      { role: 'manager', email: 'direction@quai-vert.example' },
    ],
    iban: 'FR0012345000010000000001101',
  },
  hotel: {
    reference: 'C-102',
    name: 'Hôtel des Trois Ormes SAS',
    kind: 'business',
    country: 'FR',
    locale: 'fr',
    policy: 'lumen',
    address: { lines: ['3 place des Ormes'], postalCode: '49000', city: 'Angers', country: 'FR' },
    contacts: [{ role: 'billing', email: 'compta@trois-ormes.example', phone: '+33 1 99 00 01 02' }],
    iban: 'FR0012345000010000000001202',
  },
  librairie: {
    reference: 'C-103',
    name: 'Librairie Plume et Encre',
    kind: 'business',
    country: 'FR',
    locale: 'fr',
    policy: 'lumen',
    address: { lines: ['27 rue des Copistes'], postalCode: '35000', city: 'Rennes', country: 'FR' },
    contacts: [{ role: 'billing', email: 'ancienne-adresse@bounce.example' }],
    iban: 'FR0012345000010000000001303',
  },
  commune: {
    reference: 'C-104',
    name: 'Commune de Saint-Aubrin-sur-Lisse',
    kind: 'publicBody',
    country: 'FR',
    locale: 'fr',
    policy: 'lumen-by-letter',
    address: { lines: ['1 place de la Mairie'], postalCode: '44999', city: 'Saint-Aubrin-sur-Lisse', country: 'FR' },
    contacts: [{ role: 'accounting', email: 'finances@saint-aubrin.example' }],
    iban: 'FR0012345000010000000001404',
  },
  architectes: {
    reference: 'C-105',
    name: 'Architectes Bois-Clair SAS',
    kind: 'business',
    country: 'FR',
    locale: 'fr',
    policy: 'lumen',
    address: { lines: ['8 allée des Charpentes'], postalCode: '69003', city: 'Lyon', country: 'FR' },
    contacts: [
      { role: 'billing', email: 'administration@bois-clair.example' },
      { role: 'manager', email: 'gerance@bois-clair.example' },
    ],
    iban: 'FR0012345000010000000001505',
  },
  gasthof: {
    reference: 'C-201',
    name: 'Gasthof Zum Silberhirsch GmbH',
    kind: 'business',
    country: 'DE',
    locale: 'de',
    policy: 'lumen-by-letter',
    address: { lines: ['Am Markt 5'], postalCode: '79098', city: 'Freiburg', country: 'DE' },
    contacts: [{ role: 'billing', email: 'buchhaltung@silberhirsch.example' }],
    iban: 'DE00123450000000002101',
  },
  moebelhaus: {
    reference: 'C-202',
    name: 'Möbelhaus Tannwald KG',
    kind: 'business',
    country: 'DE',
    locale: 'de',
    policy: 'lumen-by-letter',
    address: { lines: ['Industrieweg 40'], postalCode: '33602', city: 'Bielefeld', country: 'DE' },
    contacts: [{ role: 'billing', email: 'rechnungen@tannwald.example' }],
    iban: 'DE00123450000000002202',
  },
  praxis: {
    reference: 'C-203',
    name: 'Zahnarztpraxis Am Lindenhain PartG',
    kind: 'business',
    country: 'DE',
    locale: 'de',
    policy: 'lumen-by-letter',
    address: { lines: ['Lindenhain 2'], postalCode: '04109', city: 'Leipzig', country: 'DE' },
    contacts: [{ role: 'billing', email: 'verwaltung@lindenhain.example' }],
    iban: 'DE00123450000000002303',
  },
  lichtplanung: {
    reference: 'C-204',
    name: 'Lichtplanung Nordwind GmbH',
    kind: 'business',
    country: 'DE',
    locale: 'de',
    policy: 'lumen-by-letter',
    address: { lines: ['Speicherstraße 19'], postalCode: '24103', city: 'Kiel', country: 'DE' },
    contacts: [{ role: 'billing', email: 'kreditoren@nordwind-licht.example' }],
    iban: 'DE00123450000000002404',
  },
  harbour: {
    reference: 'C-301',
    name: 'Harbour and Finch Ltd',
    kind: 'business',
    country: 'GB',
    locale: 'en',
    policy: 'lumen',
    address: { lines: ['14 Ropewalk'], postalCode: 'BS1 0ZZ', city: 'Bristol', country: 'GB' },
    contacts: [{ role: 'billing', email: 'payables@harbour-finch.example', phone: '+44 117 496 0101' }],
    iban: 'GB00TEST00000000003101',
  },
  ballymoor: {
    reference: 'C-302',
    name: 'Ballymoor Hotels Ltd',
    kind: 'business',
    country: 'IE',
    locale: 'en',
    policy: 'lumen',
    address: { lines: ['Strand Road'], postalCode: 'H91 X0X0', city: 'Galway', country: 'IE' },
    contacts: [
      { role: 'billing', email: 'accounts@ballymoor.example', phone: '+353 20 910 0101' },
      { role: 'manager', email: 'manager@ballymoor.example' },
    ],
    iban: 'IE00TEST00000000003202',
  },
  oakhollow: {
    reference: 'C-303',
    name: 'Oakhollow Interiors Ltd',
    kind: 'business',
    country: 'GB',
    locale: 'en',
    policy: 'lumen',
    address: { lines: ['Unit 6, Mill Yard'], postalCode: 'M1 0ZZ', city: 'Manchester', country: 'GB' },
    contacts: [{ role: 'billing', email: 'finance@oakhollow.example', phone: '+44 161 496 0102' }],
    iban: 'GB00TEST00000000003303',
  },
  traiteur: {
    reference: 'C-106',
    name: 'Traiteur Sainte-Belette SARL',
    kind: 'business',
    country: 'FR',
    locale: 'fr',
    policy: 'lumen-to-the-end',
    address: { lines: ['5 rue des Halles'], postalCode: '37000', city: 'Tours', country: 'FR' },
    contacts: [{ role: 'billing', email: 'gestion@sainte-belette.example' }],
    iban: 'FR0012345000010000000001606',
  },
  studio: {
    reference: 'C-107',
    name: 'Studio Cadence SAS',
    kind: 'business',
    country: 'FR',
    locale: 'fr',
    policy: 'lumen-to-the-end',
    address: { lines: ['Bâtiment C', '61 boulevard du Tivoli'], postalCode: '21000', city: 'Dijon', country: 'FR' },
    contacts: [{ role: 'billing', email: 'administration@studio-cadence.example' }],
    iban: 'FR0012345000010000000001707',
  },
  galerie: {
    reference: 'C-108',
    name: 'Galerie des Deux Lanternes SARL',
    kind: 'business',
    country: 'FR',
    locale: 'fr',
    policy: 'lumen-to-the-end',
    address: { lines: ['18 rue du Chapitre'], postalCode: '14000', city: 'Caen', country: 'FR' },
    contacts: [{ role: 'billing', email: 'compta@deux-lanternes.example' }],
    iban: 'FR0012345000010000000001808',
  },
  menuiserie: {
    reference: 'C-109',
    name: 'Menuiserie Vaubrun SARL',
    kind: 'business',
    country: 'FR',
    locale: 'fr',
    policy: 'lumen-to-the-end',
    address: { lines: ['Zone artisanale du Pré'], postalCode: '85000', city: 'La Roche-sur-Yon', country: 'FR' },
    contacts: [{ role: 'billing', email: 'bureau@vaubrun.example' }],
    iban: 'FR0012345000010000000001909',
  },
  schreinerei: {
    reference: 'C-205',
    name: 'Schreinerei Eichkamp GmbH',
    kind: 'business',
    country: 'DE',
    locale: 'de',
    policy: 'lumen-to-the-end',
    address: { lines: ['Eichkamp 11'], postalCode: '26121', city: 'Oldenburg', country: 'DE' },
    contacts: [{ role: 'billing', email: 'buero@eichkamp.example' }],
    iban: 'DE00123450000000002505',
  },
  festhalle: {
    reference: 'C-206',
    name: 'Festhalle Sommerau UG',
    kind: 'business',
    country: 'DE',
    locale: 'de',
    policy: 'lumen-to-the-end',
    address: { lines: ['Sommerauer Straße 70'], postalCode: '54290', city: 'Trier', country: 'DE' },
    contacts: [{ role: 'billing', email: 'kasse@sommerau.example' }],
    iban: 'DE00123450000000002606',
  },
  tearooms: {
    reference: 'C-304',
    name: 'Old Pier Tearooms Ltd',
    kind: 'business',
    country: 'GB',
    locale: 'en',
    policy: 'lumen-to-the-end',
    address: { lines: ['2 Marine Parade'], postalCode: 'TN34 0ZZ', city: 'Hastings', country: 'GB' },
    contacts: [{ role: 'billing', email: 'accounts@old-pier.example' }],
    iban: 'GB00TEST00000000003404',
  },
} as const satisfies Record<string, BookCustomer>;

export type CustomerKey = keyof typeof CUSTOMERS;

export interface BookInvoice {
  readonly number: string;
  readonly customer: CustomerKey;
  /** Days of the story; negative ones lie before it. */
  readonly issued: number;
  readonly due: number;
  readonly amount: string;
  readonly currency: 'EUR' | 'GBP';
  /** Collected by direct debit on its due day. */
  readonly directDebit: boolean;
  /** Its PDF is handed over too. */
  readonly withFile: boolean;
  /** Handed over in the workshop's own shop: with French VAT, wherever the customer is. */
  readonly inShop: boolean;
}

const TERMS_DAYS = 30;

function invoice(
  number: number,
  customer: CustomerKey,
  due: number,
  amount: string,
  more: Partial<Pick<BookInvoice, 'issued' | 'directDebit' | 'withFile' | 'inShop'>> = {},
): BookInvoice {
  return {
    number: `LUM-26-${String(number).padStart(3, '0')}`,
    customer,
    issued: due - TERMS_DAYS,
    due,
    amount,
    currency: CUSTOMERS[customer].country === 'GB' ? 'GBP' : 'EUR',
    directDebit: false,
    withFile: false,
    inShop: false,
    ...more,
  };
}

export const INVOICES: readonly BookInvoice[] = [
  // Several at once: one message for all of them; paid in parts, by a kept promise, and on time.
  invoice(1, 'brasserie', 6, '1240.00', { withFile: true }),
  invoice(2, 'brasserie', 8, '860.00'),
  invoice(3, 'brasserie', 7, '430.50', { withFile: true }),
  invoice(4, 'brasserie', 38, '715.20'),
  invoice(5, 'brasserie', 50, '1080.00'),
  // A promise that is broken, a call, a pause.
  invoice(6, 'hotel', 5, '2980.00'),
  invoice(7, 'hotel', 25, '415.00'),
  invoice(8, 'hotel', 20, '990.00'),
  // The address is wrong: the first mail bounces.
  invoice(9, 'librairie', 8, '312.40', { withFile: true }),
  invoice(10, 'librairie', 30, '118.90'),
  // One is long due when it is handed over, another takes a letter.
  invoice(11, 'commune', -15, '2160.00', { issued: -45 }),
  invoice(12, 'commune', 16, '5400.00'),
  invoice(13, 'commune', 60, '1875.00'),
  // A sum that takes approval, a dispute in part, a dispute that is rejected.
  invoice(14, 'architectes', 9, '24800.00'),
  invoice(15, 'architectes', 12, '3600.00', { withFile: true }),
  invoice(16, 'architectes', 22, '1150.00'),
  // Direct debits: returned by the bank, collected, forgotten.
  invoice(17, 'gasthof', 9, '780.00', { directDebit: true }),
  invoice(18, 'gasthof', 24, '640.00', { directDebit: true }),
  invoice(19, 'gasthof', 15, '220.00', { directDebit: true }),
  // A transfer that is called back, a credit note.
  invoice(20, 'moebelhaus', 10, '4120.00'),
  invoice(21, 'moebelhaus', 13, '1980.00'),
  invoice(22, 'moebelhaus', 40, '2450.00'),
  // Pays too much and means two invoices.
  invoice(23, 'praxis', 8, '560.00'),
  invoice(24, 'praxis', 28, '500.00'),
  invoice(25, 'praxis', 31, '275.00'),
  // Pays and quotes nothing; the bank says something twice; one stays open.
  invoice(26, 'lichtplanung', 14, '1725.00'),
  invoice(27, 'lichtplanung', 26, '890.00'),
  invoice(28, 'lichtplanung', 33, '1310.00'),
  // Three at once in pounds; somebody asks for silence while they talk.
  invoice(29, 'harbour', 9, '1450.00'),
  invoice(30, 'harbour', 10, '2300.00', { withFile: true }),
  invoice(31, 'harbour', 11, '640.00'),
  invoice(32, 'harbour', 44, '980.00'),
  // To the end of the ladder; in two parts; cancelled by a credit note.
  invoice(33, 'ballymoor', 6, '3150.00', { withFile: true }),
  invoice(34, 'ballymoor', 16, '775.00'),
  invoice(35, 'ballymoor', 32, '1200.00'),
  // Paid early, late, later, not yet.
  invoice(36, 'oakhollow', 19, '3480.00'),
  invoice(37, 'oakhollow', 21, '510.00'),
  invoice(38, 'oakhollow', 34, '1150.00'),
  invoice(39, 'oakhollow', 49, '760.00'),
  invoice(40, 'ballymoor', 47, '420.00'),
  // Terms over two invoices, kept; terms over one, broken.
  invoice(41, 'traiteur', 1, '1800.00'),
  invoice(42, 'traiteur', 3, '900.00'),
  invoice(43, 'studio', 1, '2400.00', { withFile: true }),
  // Paid after the formal notice; paid to us while an agency had it; given up; given up, and paid after all.
  invoice(44, 'schreinerei', 1, '1365.00'),
  invoice(45, 'galerie', 1, '3980.00', { withFile: true }),
  invoice(46, 'festhalle', 1, '845.50', { withFile: true, inShop: true }),
  invoice(47, 'tearooms', 1, '610.00'),
  // Of before the judgment, one not due by then; and one of after it.
  invoice(48, 'menuiserie', 1, '3200.00'),
  invoice(49, 'menuiserie', 20, '1120.00'),
  invoice(50, 'menuiserie', 28, '640.00', { issued: 19 }),
];

/** Whom the workshop hands over to. */
export const AGENCY = {
  name: 'Recouvra Exemple SAS',
  reference: 'LUMEN-26',
  feeText: '12 % of what is collected',
  email: 'dossiers@recouvra.example',
  address: { lines: ['9 cours des Messageries'], postalCode: '69002', city: 'Lyon', country: 'FR' },
  deliverBy: 'email',
} as const;
