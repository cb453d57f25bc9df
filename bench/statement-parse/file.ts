import { createWriteStream } from 'node:fs';
import { once } from 'node:events';

const HEAD = `<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08">
  <BkToCstmrStmt>
    <GrpHdr><MsgId>BENCH</MsgId><CreDtTm>2026-11-30T06:00:00+01:00</CreDtTm></GrpHdr>
    <Stmt>
      <Id>BENCH-1</Id>
      <Acct><Id><IBAN>FR7630006000011234567890189</IBAN></Id><Ccy>EUR</Ccy></Acct>
`;
const FOOT = `    </Stmt>
  </BkToCstmrStmt>
</Document>
`;

/** An entry as banks write it: a transfer with its parties, their banks and addresses, and what the payer wrote. */
const entry = (n: number): string => `      <Ntry>
        <Amt Ccy="EUR">${10 + (n % 9_000)}.${String(n % 100).padStart(2, '0')}</Amt>
        <CdtDbtInd>${n % 5 === 0 ? 'DBIT' : 'CRDT'}</CdtDbtInd>
        <Sts><Cd>BOOK</Cd></Sts>
        <BookgDt><Dt>2026-11-${String(1 + (n % 30)).padStart(2, '0')}</Dt></BookgDt>
        <ValDt><Dt>2026-11-${String(1 + (n % 30)).padStart(2, '0')}</Dt></ValDt>
        <AcctSvcrRef>BANKREF${n}</AcctSvcrRef>
        <BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>RCDT</Cd><SubFmlyCd>ESCT</SubFmlyCd></Fmly></Domn></BkTxCd>
        <NtryDtls>
          <TxDtls>
            <Refs><EndToEndId>${n % 3 === 0 ? 'NOTPROVIDED' : `E2E-${n}`}</EndToEndId></Refs>
            <Amt Ccy="EUR">${10 + (n % 9_000)}.${String(n % 100).padStart(2, '0')}</Amt>
            <RltdPties>
              <Dbtr><Pty><Nm>Customer ${n % 2_000}${n % 10 === 0 ? ' &amp; Fils' : ''} SAS</Nm>
                <PstlAdr><Ctry>FR</Ctry><AdrLine>${n % 99} rue de la Paix</AdrLine><AdrLine>75002 Paris</AdrLine></PstlAdr></Pty></Dbtr>
              <DbtrAcct><Id><IBAN>FR76300060000112345${String(n % 100_000_000).padStart(8, '0')}</IBAN></Id></DbtrAcct>
            </RltdPties>
            <RltdAgts><DbtrAgt><FinInstnId><BICFI>AGRIFRPP</BICFI></FinInstnId></DbtrAgt></RltdAgts>
            <RmtInf><Ustrd>Facture F-2026-${n} du 12 novembre</Ustrd></RmtInf>
          </TxDtls>
        </NtryDtls>
        <AddtlNtryInf>VIREMENT SEPA RECU</AddtlNtryInf>
      </Ntry>
`;

/** Writes a camt.053 of about so many megabytes (10^6 bytes), and says how many entries it has. */
export async function writeStatement(path: string, megabytes: number): Promise<number> {
  const file = createWriteStream(path);
  file.write(HEAD);
  let bytes = HEAD.length + FOOT.length;
  let entries = 0;
  while (bytes < megabytes * 1e6) {
    const some = Array.from({ length: 500 }, (_, i) => entry(entries + i)).join('');
    entries += 500;
    bytes += some.length;
    if (!file.write(some)) await once(file, 'drain');
  }
  file.end(FOOT);
  await once(file, 'close');
  return entries;
}
