import { readStatementSync, type ReadOptions } from '../../../domain/statement/read.ts';
import type {
  RejectedRecord,
  StatementEvent,
  StatementSummary,
  Transaction,
} from '../../../domain/statement/transaction.ts';

export const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
export const latin1Of = (text: string): Uint8Array => Uint8Array.from(text, (char) => char.charCodeAt(0));

/** The events of a file, sorted by kind. */
export interface ReadFile {
  transactions: Transaction[];
  rejected: RejectedRecord[];
  warnings: RejectedRecord[];
  statements: StatementSummary[];
}

export function sorted(events: Iterable<StatementEvent>): ReadFile {
  const file: ReadFile = { transactions: [], rejected: [], warnings: [], statements: [] };
  for (const event of events) {
    if (event.kind === 'transaction') file.transactions.push(event.transaction);
    else if (event.kind === 'rejected') file.rejected.push(event.record);
    else if (event.kind === 'warning') file.warnings.push(event.record);
    else file.statements.push(event.summary);
  }
  return file;
}

export const read = (file: string | Uint8Array, options?: ReadOptions): ReadFile =>
  sorted(readStatementSync(typeof file === 'string' ? bytesOf(file) : file, options));

/** What a statement tells of 100.00 that names nobody, unless `change` says more. */
export const transaction = (change: Partial<Transaction> = {}): Transaction => ({
  position: '1',
  source: 'camt.053',
  status: 'booked',
  bookedOn: '2026-11-20',
  valueOn: null,
  amountMinor: 10_000n,
  currency: 'EUR',
  counterparty: { name: null, account: null, ultimateName: null },
  structuredReferences: [],
  remittance: null,
  bankText: null,
  bankId: null,
  endToEndId: null,
  mandateId: null,
  returns: null,
  feesMinor: null,
  bankCode: null,
  ...change,
});

/** `code at position` of what was rejected. */
export const faultsOf = ({ rejected }: ReadFile): string[] =>
  rejected.map(({ code, position }) => `${code} at ${position}`);

export const OWN = 'FR7630006000011234567890189';
export const PAYER = 'DE89370400440532013000';

export interface CamtParts {
  /** Two digits. */
  version?: string;
  message?: 'BkToCstmrStmt' | 'BkToCstmrAcctRpt' | 'BkToCstmrDbtCdtNtfctn';
  account?: string;
  /** What stands before the entries: balances, mostly. */
  head?: string;
  entries?: readonly string[];
}

const MESSAGES = {
  BkToCstmrStmt: ['camt.053', 'Stmt'],
  BkToCstmrAcctRpt: ['camt.052', 'Rpt'],
  BkToCstmrDbtCdtNtfctn: ['camt.054', 'Ntfctn'],
} as const;

export const balance = (code: string, amount: string, sign = 'CRDT', on = '2026-11-30', currency = 'EUR'): string =>
  `<Bal><Tp><CdOrPrtry><Cd>${code}</Cd></CdOrPrtry></Tp><Amt Ccy="${currency}">${amount}</Amt>` +
  `${sign === '' ? '' : `<CdtDbtInd>${sign}</CdtDbtInd>`}<Dt><Dt>${on}</Dt></Dt></Bal>`;

export function camt(parts: CamtParts = {}): string {
  const message = parts.message ?? 'BkToCstmrStmt';
  const [format, statement] = MESSAGES[message];
  return `<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:${format}.001.${parts.version ?? '02'}">
 <${message}>
  <GrpHdr><MsgId>M-1</MsgId><CreDtTm>2026-12-01T06:00:00+01:00</CreDtTm></GrpHdr>
  <${statement}><Id>S-1</Id>
   ${parts.account ?? `<Acct><Id><IBAN>${OWN}</IBAN></Id><Ccy>EUR</Ccy></Acct>`}
   ${parts.head ?? ''}
   ${(parts.entries ?? []).join('\n   ')}
  </${statement}>
 </${message}>
</Document>
`;
}

export interface EntryParts {
  amount?: string;
  currency?: string;
  sign?: string;
  status?: string;
  days?: string;
  /** What stands behind the dates. */
  rest?: string;
  details?: readonly string[];
}

export const entry = (parts: EntryParts = {}): string =>
  `<Ntry><Amt Ccy="${parts.currency ?? 'EUR'}">${parts.amount ?? '100.00'}</Amt>` +
  `<CdtDbtInd>${parts.sign ?? 'CRDT'}</CdtDbtInd>${parts.status ?? '<Sts>BOOK</Sts>'}` +
  `${parts.days ?? '<BookgDt><Dt>2026-11-20</Dt></BookgDt><ValDt><Dt>2026-11-21</Dt></ValDt>'}${parts.rest ?? ''}` +
  `${parts.details ? `<NtryDtls>${parts.details.join('')}</NtryDtls>` : ''}</Ntry>`;

export const detail = (inner: string): string => `<TxDtls>${inner}</TxDtls>`;

/** A record of CFONB 120 by its parts, with the amount as digits and punched sign. */
export interface CfonbParts {
  kind: '01' | '04' | '05' | '07';
  code?: string;
  on?: string;
  reason?: string;
  valueOn?: string;
  label?: string;
  amount?: string;
  reference?: string;
  qualifier?: string;
  text?: string;
  currency?: string;
  decimals?: string;
}

export function cfonb(parts: CfonbParts): string {
  const head =
    `${parts.kind}30006    00001${parts.currency ?? 'EUR'}${parts.decimals ?? '2'} 12345678901` +
    `${(parts.code ?? '').padEnd(2)}${parts.on ?? '201126'}`;
  if (parts.kind === '05') return `${head}     ${(parts.qualifier ?? '').padEnd(3)}${(parts.text ?? '').padEnd(70)}  `;
  const middle = `${(parts.reason ?? '').padEnd(2)}${(parts.valueOn ?? '').padEnd(6)}${(parts.label ?? '').padEnd(31)}`;
  return `${head}${middle}  0000000  ${(parts.amount ?? punched(10_000n)).padStart(14, '0')}${(parts.reference ?? '').padEnd(16)}`;
}

/** The amount field of CFONB: 14 digits of which the last one carries the sign. */
export function punched(minor: bigint): string {
  const digits = (minor < 0n ? -minor : minor).toString().padStart(14, '0');
  return digits.slice(0, 13) + (minor < 0n ? '}JKLMNOPQR' : '{ABCDEFGHI')[Number(digits[13])]!;
}

/** Processor milliseconds that something takes: a busy machine has no share in them. */
export function processorTime(run: () => void): number {
  const before = process.cpuUsage();
  run();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
}
