/** What the bank told of one booking, as its webhook has it. */
export interface Booking {
  id: string;
  bookedOn: string;
  amount: string;
  currency: string;
  counterparty: { name: string; iban?: string | null | undefined };
  remittance: string;
}

/** A booking that was taken back, told by the statement too. */
export interface Reversal {
  id: string;
  originalId: string;
  bookedOn: string;
  amount: string;
  currency: string;
  reasonCode: string;
}

/**
 * The bank's statement of these bookings as camt.053.001.08, one statement a currency: what its webhooks told and what they
 * did not, as banks send it in the evening. No balances, so the order and the rest of the account do not matter.
 */
export function bankFile(day: string, bookings: readonly Booking[], reversals: readonly Reversal[]): string {
  const currencies = [...new Set([...bookings, ...reversals].map(({ currency }) => currency))].sort();
  const statements = currencies.map((currency) => {
    const entries = [
      ...bookings.filter((one) => one.currency === currency).map(creditOf),
      ...reversals.filter((one) => one.currency === currency).map(reversalOf),
    ];
    return `<Stmt><Id>${day}-${currency}</Id><Acct><Id><Othr><Id>DEMO${currency}</Id></Othr></Id><Ccy>${currency}</Ccy></Acct>${entries.join('')}</Stmt>`;
  });
  return (
    '<?xml version="1.0" encoding="UTF-8"?>\n<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt>' +
    `<GrpHdr><MsgId>${day}</MsgId><CreDtTm>${day}T20:00:00+01:00</CreDtTm></GrpHdr>${statements.join('')}</BkToCstmrStmt></Document>\n`
  );
}

function creditOf(one: Booking): string {
  const iban = one.counterparty.iban ?? null;
  const account = iban === null ? '' : `<DbtrAcct><Id><IBAN>${iban.replaceAll(' ', '')}</IBAN></Id></DbtrAcct>`;
  return entry(
    one,
    'CRDT',
    `<RltdPties><Dbtr><Pty><Nm>${escaped(one.counterparty.name)}</Nm></Pty></Dbtr>${account}</RltdPties>` +
      `<RmtInf><Ustrd>${escaped(one.remittance)}</Ustrd></RmtInf>`,
  );
}

const reversalOf = (one: Reversal): string =>
  entry(one, 'DBIT', `<RtrInf><Rsn><Cd>${one.reasonCode}</Cd></Rsn></RtrInf>`);

function entry(one: Pick<Booking, 'id' | 'bookedOn' | 'amount' | 'currency'>, sign: string, details: string): string {
  return (
    `<Ntry><Amt Ccy="${one.currency}">${one.amount}</Amt><CdtDbtInd>${sign}</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>` +
    `<BookgDt><Dt>${one.bookedOn}</Dt></BookgDt><AcctSvcrRef>${escaped(one.id)}</AcctSvcrRef>` +
    `<NtryDtls><TxDtls><Refs><EndToEndId>NOTPROVIDED</EndToEndId></Refs>${details}</TxDtls></NtryDtls></Ntry>`
  );
}

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
