import { TEMPLATES, type KnownTemplate, type Language } from '../../domain/policy/templates.ts';
import { formatAmount, parseAmount } from '../../domain/money.ts';
import { TONES, type Channel, type Tone } from '../../domain/policy/types.ts';
import type { MessageModel } from './message-model.ts';
import { readLabels } from './templates.ts';
import { partView, viewOf, type View } from './view.ts';

/** What stands where a message would have its reference, in samples and previews. */
export const SAMPLE_REFERENCE = 'R-EXAMPLE';

/** What may differ between two messages of one template. */
export interface SampleShape {
  channel: Channel;
  tone: Tone;
  /** A single one; `few`: three in two currencies; `hundreds`: as many as a message ever lists. */
  invoices: 'one' | 'few' | 'hundreds';
  /** Everything that may be absent is. */
  lean: boolean;
}

/** Every shape in which a template can be asked for. */
export function sampleShapes(name: KnownTemplate): SampleShape[] {
  const { channels } = TEMPLATES[name];
  const usual = channels.flatMap((channel) =>
    TONES.flatMap((tone) =>
      (['one', 'few'] as const).flatMap((invoices) =>
        [false, true].map((lean): SampleShape => ({ channel, tone, invoices, lean })),
      ),
    ),
  );
  return [...usual, { channel: channels[0]!, tone: 'neutral', invoices: 'hundreds', lean: false }];
}

/** An invented case of that shape. */
export function sampleModel(name: KnownTemplate, language: Language, shape: SampleShape): MessageModel {
  const { channel, tone, invoices, lean } = shape;
  const tables = TABLES[invoices];
  const shown = name === 'before-due' ? tables.map(notYetDue) : tables;
  return {
    locale: language,
    tone,
    channel,
    creditor: {
      name: 'Atelier Lumen',
      replyTo: lean ? null : 'accounts@atelier-lumen.example',
      iban: lean ? null : 'FR7630006000011234567890189',
      addressLines: lean ? [] : ['12 rue des Tanneurs', '69007 Lyon'],
    },
    customer: { name: 'Maison Perrault', addressLines: lean ? [] : ['4 place du Marché', '21000 Dijon'] },
    contact: {
      name: lean ? null : 'Camille Roux',
      phones: lean ? [] : [{ number: '+33 4 72 00 00 00', name: 'Camille Roux' }],
    },
    reference: SAMPLE_REFERENCE,
    today: '2026-11-21',
    tables: name === 'thank-you' ? [] : shown,
    history: lean ? [] : HISTORY,
    portalUrl: lean ? null : 'https://pay.example/p/example',
    payBy: lean ? null : '2026-12-01',
    ...(name === 'thank-you' ? { paid: paidFor(tables) } : {}),
    ...(name === 'plan-note' ? { instalments: INSTALMENTS } : {}),
    ...(name === 'plan-due' || name === 'plan-late'
      ? { tables: [], instalment: INSTALMENT, instalments: lean ? [] : INSTALMENTS }
      : {}),
    ...(name === 'formal-notice' && !lean ? noticeOf(tables) : {}),
  };
}

/** Everything a template can name, with nothing absent; what is not in it does not exist. */
export function fullView(name: KnownTemplate, language: Language): View {
  const channel = TEMPLATES[name].channels[0]!;
  const model = sampleModel('reminder', language, { channel, tone: 'neutral', invoices: 'few', lean: false });
  const everything = { paid: paidFor(FEW), instalments: INSTALMENTS, instalment: INSTALMENT, ...noticeOf(FEW) };
  return partView(viewOf(name, { ...model, ...everything }, readLabels(language)));
}

const FEW: MessageModel['tables'] = [
  {
    currency: 'EUR',
    total: '2450.10',
    rows: [
      {
        number: 'F-2026-0042',
        issuedOn: '2026-10-01',
        dueOn: '2026-10-31',
        daysLate: 21,
        amount: '1200.00',
        invoiceTotal: '1500.00',
        note: 'partPaid',
      },
      {
        number: 'F-2026-0051',
        issuedOn: '2026-10-20',
        dueOn: '2026-11-20',
        daysLate: 1,
        amount: '1250.10',
        invoiceTotal: '1250.10',
      },
    ],
  },
  {
    currency: 'USD',
    total: '300.00',
    rows: [
      {
        number: 'F-2026-0060',
        issuedOn: '2026-10-05',
        dueOn: '2026-11-04',
        daysLate: 17,
        amount: '300.00',
        invoiceTotal: '300.00',
      },
    ],
  },
];

const [EUROS] = FEW as [MessageModel['tables'][number], ...MessageModel['tables']];

const TABLES: Readonly<Record<SampleShape['invoices'], MessageModel['tables']>> = {
  one: [{ ...EUROS, total: '1200.00', rows: EUROS.rows.slice(0, 1) }],
  few: FEW,
  hundreds: [{ ...EUROS, rows: Array.from({ length: 300 }, (_, i) => EUROS.rows[i % EUROS.rows.length]!) }],
};

const HISTORY: MessageModel['history'] = [{ on: '2026-11-05', what: 'F-2026-0042' }];

const INSTALMENTS: NonNullable<MessageModel['instalments']> = [
  { dueOn: '2026-12-01', amount: '1000.00', currency: 'EUR' },
  { dueOn: '2027-01-01', amount: '1450.10', currency: 'EUR' },
];

const INSTALMENT: NonNullable<MessageModel['instalment']> = {
  ...INSTALMENTS[0]!,
  n: 1,
  of: 2,
  lastGraceDay: '2026-12-05',
};

/** What only a formal notice says: the claim in euros is the table's total and 92.34 more. */
const noticeOf = (tables: MessageModel['tables']): Partial<MessageModel> => {
  const principal = tables[0]!.total;
  const added = { interest: '12.34', compensation: '40.00', costs: '40.00', perDay: '0.82' };
  const total = formatAmount(parseAmount(principal, 'EUR') + parseAmount('92.34', 'EUR'), 'EUR');
  const claim = { currency: 'EUR', principal, ...added, total };
  return { claim, deadlineDays: 8, customerKind: 'business', country: 'FR' };
};

const paidFor = (tables: MessageModel['tables']): NonNullable<MessageModel['paid']> => ({
  amounts: tables.map(({ total, currency }) => ({ amount: total, currency })),
  numbers: tables.flatMap((table) => table.rows.map((row) => row.number)),
});

const notYetDue = (table: MessageModel['tables'][number]): MessageModel['tables'][number] => ({
  ...table,
  rows: table.rows.map((row) => ({ ...row, dueOn: '2026-11-24', daysLate: -3 })),
});
