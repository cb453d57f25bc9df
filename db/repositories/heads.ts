import { createHash, type Hash } from 'node:crypto';
import { sql } from 'kysely';
import { localDate, isoInstant, type Instant } from '../../domain/time/zones.ts';
import { canonicalJson } from '../canonical-json.ts';
import { inTransaction, instant, type Db, type Tx } from '../database.ts';
import { chainFaults, eventsOf } from './events.ts';

/**
 * Heads: what makes a chain that was rewritten as a whole visible. Once a business day the ends of all chains of a creditor
 * that grew are written down as leaves; their root and the head before are hashed into a head. Whoever keeps a head's hash
 * elsewhere (it is in the worker's log) can show later that nothing older was changed.
 */
export interface Head {
  creditorId: string;
  n: number;
  /** Chains that grew since the head before. */
  cases: number;
  hash: string;
}

/** Leaves are read and hashed this many at a time. */
const LEAVES_A_TIME = 5_000;

/**
 * Writes the next head of a creditor where its date has moved on and a chain has grown; null otherwise, also while another
 * worker is at it. Takes no lock on any case.
 */
export async function anchorCreditor(
  db: Db,
  creditor: { id: string; time_zone: string },
  now: Instant,
): Promise<Head | null> {
  return await inTransaction(db, async (tx) => {
    const { rows } = await sql<{ mine: boolean }>`
      select pg_try_advisory_xact_lock(hashtextextended(${`heads:${creditor.id}`}, 0)) as mine`.execute(tx);
    if (!rows[0]?.mine) return null;
    const last = await latestHead(tx, creditor.id);
    const today = localDate(now, creditor.time_zone);
    if (last && last.on_date >= today) return null;
    const n = (last?.n ?? 0) + 1;
    const cases = await addLeaves(tx, creditor.id, n);
    if (cases === 0) return null;
    const root = await rootOf(tx, creditor.id, n);
    const prevHash = last?.hash ?? Buffer.alloc(0);
    const hash = headHash({ creditorId: creditor.id, n, onDate: today, at: now, cases, root, prevHash });
    await tx
      .insertInto('creditor_heads')
      .values({
        creditor_id: creditor.id,
        n,
        on_date: today,
        at: instant(now),
        cases,
        root,
        prev_hash: prevHash,
        hash,
      })
      .execute();
    return { creditorId: creditor.id, n, cases, hash: hash.toString('hex') };
  });
}

export async function latestHead(db: Db | Tx, creditorId: string) {
  return await db
    .selectFrom('creditor_heads')
    .selectAll()
    .where('creditor_id', '=', creditorId)
    .orderBy('n', 'desc')
    .limit(1)
    .executeTakeFirst();
}

/** The ends of the chains that are not where the latest leaf left them. */
async function addLeaves(tx: Tx, creditorId: string, n: number): Promise<number> {
  const result = await sql`
    insert into creditor_head_leaves (creditor_id, n, invoice_id, event_count, event_hash)
    select i.creditor_id, ${n}::int, i.id, i.event_count, i.event_hash
    from invoices i
    left join lateral (
      select l.event_count, l.event_hash from creditor_head_leaves l
      where l.invoice_id = i.id and l.creditor_id = i.creditor_id order by l.n desc limit 1) l on true
    where i.creditor_id = ${creditorId} and i.event_count > 0
      and (l.event_count is distinct from i.event_count or l.event_hash is distinct from i.event_hash)`.execute(tx);
  return Number(result.numAffectedRows ?? 0);
}

/** SHA-256 over the leaves of a head in the order of their invoices' ids. */
async function rootOf(db: Db | Tx, creditorId: string, n: number): Promise<Buffer> {
  const root = createHash('sha256');
  for (let after = ''; ;) {
    const leaves = await leavesOf(db, creditorId, n, after);
    for (const leaf of leaves) addLeaf(root, leaf);
    if (leaves.length < LEAVES_A_TIME) return root.digest();
    after = leaves.at(-1)!.invoice_id;
  }
}

interface Leaf {
  invoice_id: string;
  event_count: number;
  event_hash: Buffer;
}

async function leavesOf(db: Db | Tx, creditorId: string, n: number, after: string): Promise<Leaf[]> {
  return await db
    .selectFrom('creditor_head_leaves')
    .select(['invoice_id', 'event_count', 'event_hash'])
    .where('creditor_id', '=', creditorId)
    .where('n', '=', n)
    .where('invoice_id', '>', after)
    .orderBy('invoice_id')
    .limit(LEAVES_A_TIME)
    .execute();
}

function addLeaf(root: Hash, leaf: Leaf): void {
  root.update(`${leaf.invoice_id} ${leaf.event_count} ${leaf.event_hash.toString('hex')}\n`);
}

function headHash(head: {
  creditorId: string;
  n: number;
  onDate: string;
  at: Instant;
  cases: number;
  root: Buffer;
  prevHash: Buffer;
}): Buffer {
  const content = canonicalJson({
    ...head,
    at: isoInstant(head.at),
    root: head.root.toString('hex'),
    prevHash: head.prevHash.toString('hex'),
  });
  return createHash('sha256').update(content).digest();
}

/** Something that does not agree with what was written down. `invoiceId` or `head` says about what. */
export interface Discrepancy {
  kind: 'chain' | 'anchor' | 'head';
  invoiceId: string | null;
  head: number | null;
  message: string;
}

const aboutHead = (n: number | null, message: string): Discrepancy => ({
  kind: 'head',
  invoiceId: null,
  head: n,
  message,
});

/** Checks heads behind number `after`: at least one, then on until `LEAVES_A_TIME` leaves were read. */
export async function verifyHeads(
  db: Db,
  creditorId: string,
  after: number,
): Promise<{ heads: number; lastN: number; done: boolean; problems: Discrepancy[] }> {
  const problems: Discrepancy[] = [];
  let before = await headBehind(db, creditorId, after - 1, after);
  let lastN = after;
  let heads = 0;
  for (let leaves = 0; leaves < LEAVES_A_TIME;) {
    const head = await headBehind(db, creditorId, lastN);
    if (!head)
      return { heads, lastN, done: true, problems: [...problems, ...(await strayLeaves(db, creditorId, lastN))] };
    const { n } = head;
    if (n !== lastN + 1) problems.push(aboutHead(lastN + 1, `head ${lastN + 1} is missing`));
    if (!head.prev_hash.equals(before?.hash ?? Buffer.alloc(0))) {
      problems.push(aboutHead(n, `head ${n} does not follow the one before it`));
    }
    const content = { creditorId, n, onDate: head.on_date, at: head.at, cases: head.cases, root: head.root };
    if (!headHash({ ...content, prevHash: head.prev_hash }).equals(head.hash)) {
      problems.push(aboutHead(n, `head ${n} was changed`));
    }
    if (!(await rootOf(db, creditorId, n)).equals(head.root)) {
      problems.push(aboutHead(n, `the leaves of head ${n} were changed`));
    }
    problems.push(...(await goneCases(db, creditorId, n)));
    heads += 1;
    leaves += head.cases;
    lastN = n;
    before = head;
  }
  return { heads, lastN, done: false, problems };
}

async function headBehind(db: Db, creditorId: string, after: number, upTo?: number) {
  return await db
    .selectFrom('creditor_heads')
    .selectAll()
    .where('creditor_id', '=', creditorId)
    .where('n', '>', after)
    .$if(upTo !== undefined, (query) => query.where('n', '<=', upTo!))
    .orderBy('n')
    .limit(1)
    .executeTakeFirst();
}

/** Leaves behind the last head: their head was taken away. */
async function strayLeaves(db: Db, creditorId: string, lastN: number): Promise<Discrepancy[]> {
  const stray = await db
    .selectFrom('creditor_head_leaves')
    .select('n')
    .where('creditor_id', '=', creditorId)
    .where('n', '>', lastN)
    .orderBy('n')
    .limit(1)
    .executeTakeFirst();
  return stray ? [aboutHead(stray.n, `head ${stray.n} is missing`)] : [];
}

async function goneCases(db: Db, creditorId: string, n: number): Promise<Discrepancy[]> {
  const rows = await db
    .selectFrom('creditor_head_leaves as l')
    .leftJoin('invoices as i', (join) =>
      join.onRef('i.id', '=', 'l.invoice_id').onRef('i.creditor_id', '=', 'l.creditor_id'),
    )
    .select('l.invoice_id')
    .where('l.creditor_id', '=', creditorId)
    .where('l.n', '=', n)
    .where('i.id', 'is', null)
    .limit(100)
    .execute();
  return rows.map(({ invoice_id: id }) => ({
    kind: 'anchor' as const,
    invoiceId: id,
    head: n,
    message: `${id}: the case is gone that head ${n} stands for`,
  }));
}

export interface CasesVerified {
  cases: number;
  events: number;
  /** Of these, the events that a head stands for. */
  anchored: number;
  lastSeq: bigint;
  done: boolean;
  problems: Discrepancy[];
}

/** Checks the chains of `count` cases of a creditor behind the position `after`, and each against its leaves. */
export async function verifyCases(db: Db, creditorId: string, after: bigint, count: number): Promise<CasesVerified> {
  const found = await ofOneMoment(db, async (tx) => {
    const invoices = await tx
      .selectFrom('invoices')
      .select(['id', 'seq', 'event_count', 'event_hash'])
      .where('creditor_id', '=', creditorId)
      .where('seq', '>', after)
      .orderBy('seq')
      .limit(count)
      .execute();
    return await verifyThese(tx, creditorId, invoices);
  });
  return { ...found, lastSeq: found.lastSeq ?? after, done: found.cases < count };
}

/** The same for one case. */
export async function verifyCase(
  db: Db,
  creditorId: string,
  invoiceId: string,
): Promise<Omit<CasesVerified, 'lastSeq' | 'done'>> {
  return await ofOneMoment(db, async (tx) => {
    const invoices = await tx
      .selectFrom('invoices')
      .select(['id', 'seq', 'event_count', 'event_hash'])
      .where('creditor_id', '=', creditorId)
      .where('id', '=', invoiceId)
      .execute();
    return await verifyThese(tx, creditorId, invoices);
  });
}

/** Cases go on while they are checked: everything is read as of one moment. */
async function ofOneMoment<T>(db: Db, work: (tx: Tx) => Promise<T>): Promise<T> {
  return await db.transaction().setIsolationLevel('repeatable read').setAccessMode('read only').execute(work);
}

async function verifyThese(
  db: Tx,
  creditorId: string,
  invoices: readonly { id: string; seq: bigint; event_count: number; event_hash: Buffer }[],
) {
  const ids = invoices.map((i) => i.id);
  const events = await eventsOf(db, ids);
  const leaves = await leavesOfCases(db, creditorId, ids);
  const sum = { events: 0, anchored: 0 };
  const problems: Discrepancy[] = [];
  for (const invoice of invoices) {
    const own = events.get(invoice.id) ?? [];
    const anchors = leaves.get(invoice.id) ?? [];
    sum.events += own.length;
    sum.anchored += Math.min(own.length, anchors.at(-1)?.event_count ?? 0);
    problems.push(
      ...chainFaults(invoice, own).map((message) => ({
        kind: 'chain' as const,
        invoiceId: invoice.id,
        head: null,
        message,
      })),
      ...anchors.flatMap((leaf) => {
        const event = own.find((e) => e.n === leaf.event_count);
        if (event?.hash.equals(leaf.event_hash)) return [];
        const what = event ? 'is not the one' : 'is missing that was there';
        const message = `${invoice.id}: event ${leaf.event_count} ${what} when head ${leaf.n} was written`;
        return [{ kind: 'anchor' as const, invoiceId: invoice.id, head: leaf.n, message }];
      }),
    );
  }
  return { cases: invoices.length, ...sum, lastSeq: invoices.at(-1)?.seq ?? null, problems };
}

async function leavesOfCases(
  db: Tx,
  creditorId: string,
  invoiceIds: readonly string[],
): Promise<Map<string, (Leaf & { n: number })[]>> {
  const byCase = new Map<string, (Leaf & { n: number })[]>();
  if (invoiceIds.length === 0) return byCase;
  const rows = await db
    .selectFrom('creditor_head_leaves')
    .select(['invoice_id', 'n', 'event_count', 'event_hash'])
    .where('creditor_id', '=', creditorId)
    .where('invoice_id', 'in', invoiceIds)
    .orderBy('invoice_id')
    .orderBy('n')
    .execute();
  for (const row of rows) byCase.set(row.invoice_id, [...(byCase.get(row.invoice_id) ?? []), row]);
  return byCase;
}

/** How many cases a creditor has, for whoever shows how far a check is. */
export async function countCases(db: Db, creditorId: string): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    select count(*)::int as count from invoices where creditor_id = ${creditorId}`.execute(db);
  return rows[0]?.count ?? 0;
}

/** The number of the head with this hash (hexadecimal); null where a creditor has none. */
export async function findHead(db: Db, creditorId: string, hash: string): Promise<number | null> {
  const row = await db
    .selectFrom('creditor_heads')
    .select('n')
    .where('creditor_id', '=', creditorId)
    .where('hash', '=', Buffer.from(hash, 'hex'))
    .executeTakeFirst();
  return row?.n ?? null;
}
