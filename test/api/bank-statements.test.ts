import { readdir } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { check } from '../../db/repositories/ledger.ts';
import { answerSuspect, drainFeed } from '../../db/repositories/bank-transactions.ts';
import { inTransaction } from '../../db/database.ts';
import { newId } from '../../db/ids.ts';
import { takeIn } from '../../db/repositories/transactions.ts';
import { transactionOfBridge } from '../../domain/statement/providers/bridge.ts';
import { readQonto } from '../../domain/statement/providers/qonto.ts';
import { bridgeTransaction, bytes, qontoTransaction } from '../support/webhook-bodies.ts';
import { applyRetention } from '../../db/repositories/retention.ts';
import { cfonb, punched } from '../domain/statement/fixtures.ts';
import { newInvoice, NOW, startApi, type Harness, type Reply, type TestCreditor } from './harness.ts';

/** Bank files by the API: taken in once, whole or not at all, each transaction once whoever tells it. */

const IBAN = 'FR7630006000011234567890189';
const OTHER_IBAN = 'DE89370400440532013000';

let h: Harness;
let own: TestCreditor;
beforeAll(async () => {
  h = await startApi();
  own = await h.creditor();
});
afterAll(() => h.stop());

interface Entry {
  amount: string;
  debit?: boolean;
  status?: string;
  text?: string;
  ref?: string;
  date?: string;
  endToEnd?: string;
  returns?: string;
  /** The payer's account. */
  payer?: string;
}

const payerXml = ({ payer }: Entry): string =>
  payer === undefined ? '' : `<DbtrAcct><Id><IBAN>${payer}</IBAN></Id></DbtrAcct>`;

const entryXml = (entry: Entry): string => `<Ntry><Amt Ccy="EUR">${entry.amount}</Amt>
  <CdtDbtInd>${entry.debit ? 'DBIT' : 'CRDT'}</CdtDbtInd><Sts>${entry.status ?? 'BOOK'}</Sts>
  <BookgDt><Dt>${entry.date ?? '2026-11-20'}</Dt></BookgDt>
  ${entry.ref === undefined ? '' : `<AcctSvcrRef>${entry.ref}</AcctSvcrRef>`}
  <NtryDtls><TxDtls><Refs><EndToEndId>${entry.endToEnd ?? 'NOTPROVIDED'}</EndToEndId></Refs>
  <RltdPties><Dbtr><Nm>Payer</Nm></Dbtr>${payerXml(entry)}</RltdPties>
  <RmtInf><Ustrd>${entry.text ?? ''}</Ustrd></RmtInf>
  ${entry.returns === undefined ? '' : `<RtrInf><Rsn><Cd>${entry.returns}</Cd></Rsn></RtrInf>`}
  </TxDtls></NtryDtls></Ntry>`;

const camt = (kind: '052' | '053' | '054', entries: readonly Entry[], iban = IBAN, closing?: string): string => {
  const [root, part] = {
    '052': ['BkToCstmrAcctRpt', 'Rpt'],
    '053': ['BkToCstmrStmt', 'Stmt'],
    '054': ['BkToCstmrDbtCdtNtfctn', 'Ntfctn'],
  }[kind] as [string, string];
  const balances =
    closing === undefined
      ? ''
      : ['OPBD 0.00', `CLBD ${closing}`]
          .map((one) => one.split(' '))
          .map(
            ([code, amount]) =>
              `<Bal><Tp><CdOrPrtry><Cd>${code}</Cd></CdOrPrtry></Tp><Amt Ccy="EUR">${amount}</Amt><CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>2026-11-20</Dt></Dt></Bal>`,
          )
          .join('');
  return `<?xml version="1.0" encoding="UTF-8"?><Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.${kind}.001.02"><${root}>
    <GrpHdr><MsgId>M</MsgId><CreDtTm>2026-11-20T10:00:00</CreDtTm></GrpHdr><${part}><Id>S-1</Id>
    <Acct><Id><IBAN>${iban}</IBAN></Id><Ccy>EUR</Ccy></Acct>${balances}${entries.map(entryXml).join('')}</${part}></${root}></Document>`;
};

const feed = async (iban: string | null = IBAN): Promise<string> => {
  const id = newId('fee');
  await h.db
    .insertInto('feeds')
    .values({ id, creditor_id: own.id, kind: 'file', name: 'Account', iban, created_at: new Date(NOW) })
    .execute();
  return id;
};
const send = (feedId: string, file: string | Buffer, query = '', type = 'application/xml'): Promise<Reply> =>
  h.call(own.operator, 'POST', `/v1/feeds/${feedId}/statements${query}`, file, { 'content-type': type });
const drain = (feedId: string) => drainFeed(h.db, feedId, { now: NOW, holidays: () => new Set() });
const receipts = (feedId: string) =>
  h.db.selectFrom('receipts').selectAll().where('feed_id', '=', feedId).orderBy('seq').execute();

describe('a bank file', () => {
  test('is taken in once, kept as it came, and its money finds its invoices', async () => {
    const account = await feed(OTHER_IBAN);
    const invoice = await newInvoice(h, own.operator, { number: 'ST-2026-1', amount: '120.00' });
    const file = camt(
      '053',
      [
        { amount: '120.00', text: 'facture ST-2026-1', ref: 'B1' },
        { amount: '50.00', debit: true, text: 'loyer', ref: 'B2' },
      ],
      OTHER_IBAN,
      '70.00',
    );
    const first = await send(account, file, '?filename=nov.xml');
    expect(first.status, JSON.stringify(first.body)).toBe(201);
    expect(first.body).toMatchObject({
      format: 'camt.053',
      filename: 'nov.xml',
      entries: 2,
      receipts: 1,
      duplicates: 0,
      provisional: 0,
      rejected: [],
      balance: 'holds',
      accounts: [{ account: OTHER_IBAN, opening: { amount: '0.00' }, closing: { amount: '70.00' }, sum: '70.00' }],
    });
    expect(await drain(account)).toEqual({ applied: 2, left: 0 });
    expect((await h.call(own.operator, 'GET', `/v1/invoices/${invoice.id}`)).body.balance).toBe('0.00');

    const again = await send(account, file);
    expect(again.status).toBe(200);
    expect(again.body).toEqual(first.body);
    expect(await receipts(account)).toHaveLength(1);
    const bytes = await h.call(own.operator, 'GET', `/v1/statements/${first.body.id}/file`);
    expect(bytes.raw.payload).toBe(file);
    const list = await h.call(own.operator, 'GET', `/v1/statements?feedId=${account}`);
    expect(list.body.data).toEqual([first.body]);
    expect(await check(h.db, own.id)).toEqual([]);
  });

  test('of another account, or that is no statement, leaves nothing', async () => {
    const account = await feed();
    const before = await h.db.selectFrom('bank_transactions').select('id').execute();
    for (const [file, code, status] of [
      [camt('053', [{ amount: '1.00' }], OTHER_IBAN), 'wrongAccount', 422],
      ['<html><body>no</body></html>', 'statementFormatUnknown', 422],
      ['', 'statementEmpty', 422],
      [
        '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]><Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.02"><BkToCstmrStmt/></Document>',
        'xmlDoctype',
        422,
      ],
    ] as const) {
      const answer = await send(account, file);
      expect([answer.status, answer.body.code], JSON.stringify(answer.body)).toEqual([status, code]);
    }
    const nested = `<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.02"><BkToCstmrStmt>${'<a>'.repeat(50_000)}`;
    expect((await send(account, nested)).body.code).toBe('xmlTooDeep');
    expect(await h.db.selectFrom('bank_transactions').select('id').execute()).toHaveLength(before.length);
    expect(await h.db.selectFrom('statements').select('id').where('feed_id', '=', account).execute()).toEqual([]);
    expect((await send('fee_00000000000000000000000000', 'x')).status).toBe(404);
  });

  test('whose balances do not hold is taken in with a task, or refused where that was asked for', async () => {
    const account = await feed();
    const file = camt('053', [{ amount: '10.00', ref: 'bal-1' }], IBAN, '11.00');
    expect((await send(account, file, '?balance=require')).body.code).toBe('balanceBroken');
    const taken = await send(account, file);
    expect(taken.body).toMatchObject({ balance: 'broken', receipts: 1 });
    const tasks = await h.call(own.operator, 'GET', '/v1/tasks?kind=statementBalance');
    expect(tasks.body.data).toHaveLength(1);
  });

  test('refuses an entry in another currency than its account', async () => {
    const account = await feed();
    const file = camt('053', [
      { amount: '10.00', ref: 'c-1' },
      { amount: '11.00', ref: 'c-2' },
    ]).replace('<Amt Ccy="EUR">11.00', '<Amt Ccy="USD">11.00');
    const answer = await send(account, file);
    expect(answer.body).toMatchObject({ receipts: 1, rejectedCount: 1, rejected: [{ code: 'currencyMismatch' }] });
  });

  test('tells a bad record by its place and keeps its neighbours', async () => {
    const account = await feed();
    const file = camt('053', [
      { amount: '10.00', ref: 'n-1' },
      { amount: '1.005', ref: 'n-2' },
      { amount: '12.00', ref: 'n-3', date: '2026-02-30' },
      { amount: '13.00', ref: 'n-4' },
    ]);
    const answer = await send(account, file);
    expect(answer.body).toMatchObject({ receipts: 2, rejectedCount: 2 });
    expect(answer.body.rejected.map((one: { code: string }) => one.code)).toEqual(['tooManyDecimals', 'dateInvalid']);
  });
});

describe('one transaction told by many', () => {
  test('interim report, advice, statement and webhook are one receipt', async () => {
    const account = await feed();
    const invoice = await newInvoice(h, own.operator, { number: 'MANY-1', amount: '77.00' });
    const pending = await send(account, camt('052', [{ amount: '77.00', text: 'MANY-1', status: 'PDNG' }]));
    expect(pending.body).toMatchObject({ provisional: 1, receipts: 0 });
    await drain(account);
    expect(await receipts(account)).toEqual([]);

    const files = [
      camt('054', [{ amount: '77.00', text: 'MANY-1', ref: 'X-1' }]),
      camt('053', [{ amount: '77.00', text: 'VIR RECU MANY-1', ref: 'X-1' }]),
      camt('052', [{ amount: '77.00', text: 'MANY-1', ref: 'X-1' }]),
    ];
    for (const file of files) await send(account, file);
    await drain(account);
    expect(await receipts(account)).toHaveLength(1);
    expect((await h.call(own.operator, 'GET', `/v1/invoices/${invoice.id}`)).body.balance).toBe('0.00');
  });

  test('ten equal payments on one day are ten, in every file and after all of them', async () => {
    const account = await feed();
    const ten = Array.from({ length: 10 }, (): Entry => ({ amount: '9.99', text: 'abonnement' }));
    expect((await send(account, camt('053', ten))).body).toMatchObject({ receipts: 10 });
    expect((await send(account, camt('054', ten))).body).toMatchObject({ receipts: 0, duplicates: 10 });
    expect((await send(account, camt('052', [...ten, ten[0]!]))).body).toMatchObject({ receipts: 1, duplicates: 10 });
    await drain(account);
    expect(await receipts(account)).toHaveLength(11);
  });

  test('what may be told twice or not waits for a person, who says so', async () => {
    const account = await feed();
    await send(account, camt('053', [{ amount: '31.00', text: 'alpha bravo' }]));
    const doubtful = await send(account, camt('054', [{ amount: '31.00', text: 'charlie delta' }]));
    expect(doubtful.body).toMatchObject({ suspects: 1, receipts: 0 });
    await drain(account);
    expect(await receipts(account)).toHaveLength(1);
  });

  test('what a person said is one stays one, and a second one beside it counts', async () => {
    const account = await feed('FR1420041010050500013M02606');
    await send(account, camt('054', [{ amount: '32.00', text: 'alpha bravo' }], 'FR1420041010050500013M02606'));
    await send(account, camt('053', [{ amount: '32.00', text: 'charlie delta' }], 'FR1420041010050500013M02606'));
    await drain(account);
    const [suspect] = await h.db
      .selectFrom('bank_transactions')
      .select('id')
      .where('feed_id', '=', account)
      .where('state', '=', 'suspect')
      .execute();
    await inTransaction(h.db, (tx) => answerSuspect(tx, own.id, suspect!.id, 'same'));
    const both = [
      { amount: '32.00', text: 'alpha bravo' },
      { amount: '32.00', text: 'charlie delta' },
    ];
    const again = await send(account, camt('053', [both[1]!], 'FR1420041010050500013M02606', '32.00'));
    expect(again.body).toMatchObject({ receipts: 0, duplicates: 1, suspects: 0 });
    const two = await send(account, camt('053', both, 'FR1420041010050500013M02606'));
    expect(two.body).toMatchObject({ receipts: 1, duplicates: 1, suspects: 0 });
    await drain(account);
    expect(await receipts(account)).toHaveLength(2);
  });

  test('what one feed announced and another one books is applied by the first, which is told', async () => {
    const iban = 'FR7610107001011234567890129';
    const [webhooks, files] = [await feed(iban), await feed(iban)];
    const account = { feedId: webhooks, creditorId: own.id, iban };
    const announced = readQonto(
      bytes(qontoTransaction({ amount: 33, label: 'Payer', reference: 'alpha 4711', status: 'pending' })),
    )[0]!;
    if (announced.kind !== 'transaction') throw new Error('no transaction');
    await inTransaction(h.db, (tx) =>
      takeIn(tx, { actor: 'bank', at: NOW }, account, `feed:${webhooks}`, [announced.transaction]),
    );
    await h.db.deleteFrom('outbox').execute();
    const day = announced.transaction.bookedOn;
    const booked = await send(files, camt('053', [{ amount: '33.00', text: 'alpha 4711', date: day }], iban));
    expect(booked.body).toMatchObject({ receipts: 1 });
    const pokes = await h.db.selectFrom('outbox').select('target').where('kind', '=', 'pokeFeed').execute();
    expect(pokes.map(({ target }) => target).sort()).toEqual([files, webhooks].sort());
    expect(await drain(webhooks)).toEqual({ applied: 1, left: 0 });
  });
});

describe('returns in files', () => {
  test('undo their payment exactly, with the fee apart, and the case is open again', async () => {
    const account = await feed();
    const invoice = await newInvoice(h, own.operator, { number: 'RUECK-1', amount: '50.00' });
    await send(account, camt('053', [{ amount: '50.00', text: 'RUECK-1', endToEnd: 'E2E-R1' }]));
    await drain(account);
    const back = `<Ntry><Amt Ccy="EUR">53.00</Amt><CdtDbtInd>DBIT</CdtDbtInd><Sts>BOOK</Sts><BookgDt><Dt>2026-11-20</Dt></BookgDt>
      <NtryDtls><TxDtls><Refs><EndToEndId>E2E-R1</EndToEndId></Refs><AmtDtls><InstdAmt><Amt Ccy="EUR">50.00</Amt></InstdAmt></AmtDtls>
      <Chrgs><Amt Ccy="EUR">3.00</Amt></Chrgs><RtrInf><Rsn><Cd>AC04</Cd></Rsn></RtrInf></TxDtls></NtryDtls></Ntry>`;
    const file = camt('053', []).replace('</Stmt>', `${back}</Stmt>`);
    await send(account, file);
    await drain(account);
    expect((await h.call(own.operator, 'GET', `/v1/invoices/${invoice.id}`)).body).toMatchObject({ balance: '50.00' });
    const [receipt] = await receipts(account);
    expect(receipt).toMatchObject({ returned_minor: 5_000n, unapplied_minor: 0n });
    const fees = await h.db
      .selectFrom('postings')
      .select('amount_minor')
      .where('account', '=', 'bankFees')
      .where('receipt_id', '=', receipt!.id)
      .execute();
    expect(fees).toEqual([{ amount_minor: 300n }]);
    expect(await check(h.db, own.id)).toEqual([]);
  });

  test('that tell no more than an account are of the one payment from it', async () => {
    const account = await feed();
    const [one, other] = ['FR1420041010050500013M02606', 'NL91ABNA0417164300'];
    const paid = [one, other, other].map((payer, n): Entry => ({ amount: '61.00', payer, text: `divers ${n}` }));
    await send(account, camt('053', paid));
    await drain(account);
    const back = (payer: string): Entry => ({ amount: '61.00', payer, debit: true, returns: 'AC04', text: 'REJET' });
    await send(account, camt('053', [back(one), back(other)]));
    await drain(account);
    // Two came from the other account: which of them it is, a person says.
    expect((await receipts(account)).map((receipt) => receipt.returned_minor)).toEqual([6_100n, 0n, 0n]);
    const states = await h.db
      .selectFrom('bank_transactions')
      .select(['counterparty_account', 'state'])
      .where('feed_id', '=', account)
      .where('amount_minor', '<', 0n)
      .orderBy('seq')
      .execute();
    expect(states).toEqual([
      { counterparty_account: one, state: 'done' },
      { counterparty_account: other, state: 'waiting' },
    ]);
  });
});

describe('returns that a provider does not tell', () => {
  /** Where a message of the provider is read as it would be from the inbox or from what it answered. */
  const payment = {
    qonto: (number: string) =>
      readQonto(bytes(qontoTransaction({ amount: 88.5, label: 'Payer', reference: number })))[0]!,
    bridge: (number: string) =>
      transactionOfBridge(
        bridgeTransaction({ amount: 88.5, date: '2026-11-20', provider_description: `VIR Payer ${number}` }),
      ),
  };

  test.each(['qonto', 'bridge'] as const)(
    'a payment told by %s comes back by statement, and the case is open',
    async (kind) => {
      const iban = kind === 'qonto' ? 'FR1420041010050500013M02606' : 'NL91ABNA0417164300';
      const number = `${kind.toUpperCase()}-2026-0001`;
      const [webhooks, files] = [await feed(iban), await feed(iban)];
      const invoice = await newInvoice(h, own.operator, { number, amount: '88.50' });
      const message = payment[kind](number);
      if (message.kind !== 'transaction') throw new Error('It tells a payment.');
      const account = { feedId: webhooks, creditorId: own.id, iban };
      const act = { actor: 'bank', at: NOW };
      await inTransaction(h.db, (tx) => takeIn(tx, act, account, `feed:${webhooks}`, [message.transaction]));
      await drain(webhooks);
      expect((await h.call(own.operator, 'GET', `/v1/invoices/${invoice.id}`)).body.balance).toBe('0.00');
      // As the case's turn leaves it.
      await h.db.updateTable('invoices').set({ stage: 'settled' }).where('id', '=', invoice.id).execute();
      await h.db
        .updateTable('case_runs')
        .set({ closed_on: '2026-11-20', closed_stage: 'settled', stage_before: 'reminding' })
        .where('invoice_id', '=', invoice.id)
        .execute();

      const told = message.transaction.bookedOn;
      const entries: Entry[] = [
        { amount: '88.50', text: `VIR Payer ${number}`, date: told },
        { amount: '88.50', debit: true, text: `REJET ${number}`, returns: 'AC04', date: told },
      ];
      expect((await send(files, camt('053', entries, iban))).body).toMatchObject({ duplicates: 1 });
      await drain(files);
      expect((await h.call(own.operator, 'GET', `/v1/invoices/${invoice.id}`)).body).toMatchObject({
        balance: '88.50',
        stage: 'reminding',
      });
      expect(await check(h.db, own.id)).toEqual([]);
    },
  );
});

describe('after their time', () => {
  test('the bytes of a file are erased, and that it came is not', async () => {
    const account = await feed();
    const sent = await send(account, camt('053', [{ amount: '3.33', text: 'secret', ref: 'keep' }]));
    const creditor = { id: own.id, time_zone: 'Europe/Paris', retention: { inbox: 10 } };
    await applyRetention(h.db, creditor, NOW + 11 * 86_400_000);
    expect((await h.call(own.operator, 'GET', `/v1/statements/${sent.body.id}/file`)).status).toBe(404);
    expect((await h.call(own.operator, 'GET', `/v1/statements/${sent.body.id}`)).body).toMatchObject({ entries: 1 });
    const chunks = await h.db
      .selectFrom('statement_chunks')
      .select('n')
      .where('statement_id', '=', sent.body.id)
      .execute();
    expect(chunks).toEqual([]);
  });
});

describe('other formats', () => {
  test('a table of a bank, by its own headers or by a mapping', async () => {
    const account = await feed();
    await newInvoice(h, own.operator, { number: 'CSV-1', amount: '42.00' });
    const table =
      'Date;Libellé;Montant;Devise\r\n20/11/2026;VIR CSV-1;42,00;EUR\r\n20/11/2026;pas un montant;x;EUR\r\n';
    const answer = await send(account, table, '', 'text/csv');
    expect(answer.body).toMatchObject({ format: 'csv', receipts: 1, rejectedCount: 1 });
    const mapped = await send(
      account,
      'Jour,Somme\n2026-11-20,5.00\n',
      '?columns=bookedOn=Jour,amount=Somme&currency=EUR',
      'text/csv',
    );
    expect(mapped.body, JSON.stringify(mapped.body)).toMatchObject({ receipts: 1 });
    expect((await send(account, 'Jour,Somme\n2026-11-20,5.00\n', '?columns=nothing', 'text/csv')).body.code).toBe(
      'columnsInvalid',
    );
  });

  test('a payment whose invoice comes next week is found then', async () => {
    const account = await feed();
    await send(account, camt('053', [{ amount: '64.00', text: 'acompte LATER-2026-9', ref: 'later' }]));
    await drain(account);
    expect((await receipts(account))[0]).toMatchObject({ unapplied_minor: 6_400n });
    const invoice = await newInvoice(h, own.operator, { number: 'LATER-2026-9', amount: '64.00' });
    expect(await drain(account)).toEqual({ applied: 1, left: 0 });
    expect((await h.call(own.operator, 'GET', `/v1/invoices/${invoice.id}`)).body.balance).toBe('0.00');
    const tasks = await h.db
      .selectFrom('tasks')
      .select('status')
      .where('receipt_id', '=', (await receipts(account))[0]!.id)
      .execute();
    expect(tasks).toEqual([{ status: 'done' }]);
  });

  test('so is one of which only the bank tells anything', async () => {
    const account = await feed(null);
    const file = [
      cfonb({ kind: '01', amount: punched(0n) }),
      cfonb({ kind: '04', code: '05', label: 'VIR LATER-2026-10', amount: punched(6_500n) }),
      cfonb({ kind: '07', amount: punched(6_500n) }),
    ];
    await send(account, file.join('\n'), '', 'text/plain');
    await drain(account);
    const [receipt] = await receipts(account);
    expect(receipt).toMatchObject({ remittance: null, unapplied_minor: 6_500n });
    const invoice = await newInvoice(h, own.operator, { number: 'LATER-2026-10', amount: '65.00' });
    const candidates = await h.call(own.operator, 'GET', `/v1/receipts/${receipt!.id}/candidates`);
    expect(candidates.body.data[0]).toMatchObject({ rule: 'numbersEqualSum' });
    expect(await drain(account)).toEqual({ applied: 1, left: 0 });
    expect((await h.call(own.operator, 'GET', `/v1/invoices/${invoice.id}`)).body.balance).toBe('0.00');
  });
});

describe('a file that takes longer than a connection may be idle', () => {
  beforeAll(async () => {
    await h.app.listen({ port: 0, host: '127.0.0.1' });
    h.app.server.setTimeout(250);
  });

  test('is answered all the same', async () => {
    const feedId = await feed();
    const before = await spooled();
    let sent!: Promise<Response>;
    await holding(feedId, async () => {
      sent = upload(feedId, camt('053', [{ amount: '612.12', text: 'long' }]));
      // Three timeouts in which nothing is sent.
      await delay(750);
    });
    const answer = await sent;
    expect([answer.status, ((await answer.json()) as { receipts: number }).receipts]).toEqual([201, 1]);
    await vi.waitFor(async () => expect(await spooled()).toEqual(before));
  });

  test('is taken in although its sender has gone, who is told so when asking again', async () => {
    const feedId = await feed();
    const file = camt('053', [{ amount: '613.13', text: 'gone' }]);
    const before = await spooled();
    await holding(feedId, async () => {
      const gone = new AbortController();
      const sent = upload(feedId, file, gone.signal);
      await vi.waitFor(async () => expect(await waitingForLock()).toBe(1), { timeout: 10_000 });
      gone.abort();
      await expect(sent).rejects.toThrow();
      // Until the server has seen it.
      await delay(250);
    });
    const taken = () => h.db.selectFrom('statements').select('id').where('feed_id', '=', feedId).execute();
    await vi.waitFor(async () => expect(await taken()).toHaveLength(1), { timeout: 10_000 });
    const again = await upload(feedId, file);
    expect([again.status, ((await again.json()) as { receipts: number }).receipts]).toEqual([200, 1]);
    await vi.waitFor(async () => expect(await spooled()).toEqual(before));
  });

  const upload = (feedId: string, text: string, signal: AbortSignal | null = null): Promise<Response> => {
    const { port } = h.app.server.address() as AddressInfo;
    return fetch(`http://127.0.0.1:${port}/v1/feeds/${feedId}/statements`, {
      method: 'POST',
      headers: { authorization: `Bearer ${own.operator}`, 'content-type': 'application/xml' },
      body: text,
      signal,
    });
  };
  const spooled = async (): Promise<string[]> =>
    (await readdir(tmpdir())).filter((name) => /^relance-.*\.body$/.test(name));

  /** Whoever wants the feed waits until this is done. */
  const holding = (feedId: string, work: () => Promise<void>): Promise<void> =>
    inTransaction(h.db, async (tx) => {
      await tx.selectFrom('feeds').select('id').where('id', '=', feedId).forUpdate().execute();
      await work();
    });

  const waitingForLock = async (): Promise<number> => {
    const { rows } = await sql<{ n: bigint }>`select count(*) as n from pg_stat_activity
      where datname = current_database() and wait_event_type = 'Lock'`.execute(h.db);
    return Number(rows[0]!.n);
  };
});
