import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import pg from 'pg';
import { createDatabase, inTransaction, type Db } from '../../db/database.ts';
import {
  claimOutbox,
  finishOutbox,
  outboxDelay,
  OUTBOX_CHANNEL,
  pokeFeed,
  pokeOutreach,
  retryOutbox,
  signalCase,
  startCase,
  wakeCases,
} from '../../db/repositories/outbox.ts';
import { createTestDatabase, type TestDatabase } from '../support/servers.ts';

let database: TestDatabase;
let db: Db;
beforeAll(async () => {
  database = await createTestDatabase();
  db = createDatabase(database.url);
});
beforeEach(() => db.deleteFrom('outbox').execute());
afterAll(async () => {
  await db.destroy();
  await database.drop();
});

const poke = (target = 'c1') => inTransaction(db, (tx) => pokeOutreach(tx, target));
const targets = async () => (await claimOutbox(db, 100)).map(({ target }) => target);

describe('the outbox', () => {
  test('keeps every fact and one poke per receiver, oldest first', async () => {
    await inTransaction(db, async (tx) => {
      await startCase(tx, 'i1', 1);
      await signalCase(tx, 'i1', 'promised', 'pro_1');
      await signalCase(tx, 'i1', 'promised', 'pro_1');
      await wakeCases(tx, ['i2', 'i1', 'i2']);
      await wakeCases(tx, []);
    });
    await Promise.all(Array.from({ length: 20 }, () => poke()));
    const rows = await claimOutbox(db, 100);
    expect(rows.map(({ kind, target, payload }) => [kind, target, payload])).toEqual([
      ['startCase', 'i1', { run: 1 }],
      ['signalCase', 'i1', { signal: 'promised', factId: 'pro_1' }],
      ['signalCase', 'i1', { signal: 'promised', factId: 'pro_1' }],
      ['signalCase', 'i1', { signal: 'wake' }],
      ['signalCase', 'i2', { signal: 'wake' }],
      ['pokeOutreach', 'c1', {}],
    ]);
    await finishOutbox(
      db,
      rows.map(({ id }) => id),
    );
    expect(await outboxDelay(db)).toBeNull();
  });

  test('a poke that was claimed is outstanding no more: the next one is new', async () => {
    await poke();
    expect(await targets()).toEqual(['c1']);
    expect(await targets()).toEqual([]);
    await poke();
    expect(await targets()).toEqual(['c1']);
  });

  test('a poke that waits for an uncommitted writer is not delivered before that writer can be seen', async () => {
    await poke();
    let claimedMeanwhile: string[] = ['?'];
    await inTransaction(db, async (tx) => {
      await tx.insertInto('creditors').values(creditor('cre_seen')).execute();
      await pokeOutreach(tx, 'c1');
      claimedMeanwhile = await targets();
    });
    expect(claimedMeanwhile).toEqual([]);
    expect(await targets()).toEqual(['c1']);
  });

  test('under random interleavings whoever pokes is followed by a delivery that sees what it wrote', async () => {
    let written = 0;
    let running = true;
    const seen: number[] = [0];
    const reader = (async () => {
      while (running || (await outboxDelay(db)) !== null) {
        const rows = await claimOutbox(db, 5);
        await finishOutbox(
          db,
          rows.map(({ id }) => id),
        );
        if (rows.length === 0) continue;
        const { n } = await db
          .selectFrom('creditors')
          .select((eb) => eb.fn.countAll<bigint>().as('n'))
          .where('id', 'like', 'cre_w%')
          .executeTakeFirstOrThrow();
        seen.push(Number(n));
      }
    })();
    await Promise.all(
      Array.from({ length: 4 }, async (_, writer) => {
        for (let n = 0; n < 25; n += 1) {
          await inTransaction(db, async (tx) => {
            await tx
              .insertInto('creditors')
              .values(creditor(`cre_w${writer}_${n}`))
              .execute();
            await pokeFeed(tx, 'f1');
            if (n % 3 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
          });
          written += 1;
        }
      }),
    );
    running = false;
    await reader;
    expect(written).toBe(100);
    expect(seen.at(-1)).toBe(100);
    expect(seen.length).toBeLessThanOrEqual(101);
  });

  test('what fails comes again later; a poke whose twin is outstanding is dropped', async () => {
    await poke();
    await inTransaction(db, (tx) => startCase(tx, 'i1', 2));
    const [first, second] = await claimOutbox(db, 10);
    await poke();
    await retryOutbox(db, first!.id, 10_000);
    await retryOutbox(db, second!.id, 10_000);
    expect(await targets()).toEqual(['c1']);
    const delay = await outboxDelay(db);
    expect(delay).toBeGreaterThan(8_000);
    expect(delay).toBeLessThanOrEqual(10_000);
    await retryOutbox(db, second!.id, 0);
    expect((await claimOutbox(db, 10)).map(({ target, attempts }) => [target, attempts])).toEqual([['i1', 2]]);
  });

  test('what a dead relay had claimed is handed out again', async () => {
    await poke();
    await claimOutbox(db, 10);
    await db
      .updateTable('outbox')
      .set({ claimed_real: new Date(Date.now() - 31_000) })
      .execute();
    expect(await targets()).toEqual(['c1']);
  });

  test('two relays never get the same message', async () => {
    await inTransaction(db, async (tx) => {
      for (let n = 0; n < 60; n += 1) await startCase(tx, `i${n}`, 1);
    });
    const claims = await Promise.all(Array.from({ length: 6 }, () => claimOutbox(db, 10)));
    const all = claims.flat().map(({ target }) => target);
    expect(new Set(all).size).toBe(all.length);
    expect(all.length + (await targets()).length).toBe(60);
  });

  test('a fact whose transaction rolls back is never delivered, one that is under way not yet', async () => {
    const underWay = inTransaction(db, async (tx) => {
      await signalCase(tx, 'inv_1', 'paymentAllocated', 'all_1');
      await wakeCases(tx, ['inv_2']);
      expect(await claimOutbox(db, 10)).toEqual([]);
      throw new Error('nothing of it was true');
    });
    await expect(underWay).rejects.toThrow('nothing of it was true');
    expect(await claimOutbox(db, 10)).toEqual([]);
    expect(await outboxDelay(db)).toBeNull();
  });

  test('the bell rings when a message is committed, not before', async () => {
    const listener = new pg.Client({ connectionString: database.url });
    await listener.connect();
    await listener.query(`listen ${OUTBOX_CHANNEL}`);
    let rung = 0;
    listener.on('notification', () => (rung += 1));
    let before = -1;
    await inTransaction(db, async (tx) => {
      await pokeOutreach(tx, 'c1');
      await listener.query('select 1');
      before = rung;
    });
    await expect.poll(() => rung).toBe(1);
    expect(before).toBe(0);
    await listener.end();
  });
});

const creditor = (id: string) => ({
  id,
  name: 'N',
  country: 'FR',
  time_zone: 'Europe/Paris',
  locale: 'fr',
  sender_email: 'n@example.com',
  created_at: new Date(0),
});
