import { randomBytes } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { holidaysOf } from '../../activities/holidays.ts';
import { printBatch } from '../../activities/letters/index.ts';
import { renderAgain } from '../../activities/render-again.ts';
import { createTemplateTexts } from '../../activities/template-texts.ts';
import { buildApp } from '../../api/app.ts';
import type { WebhookIntake } from '../../api/deps.ts';
import { newWebhookSecret, seal, secretPurpose } from '../../api/secrets.ts';
import { systemAct } from '../../db/act.ts';
import { createDatabase, inTransaction, type Db } from '../../db/database.ts';
import { createFeed, newFeedId } from '../../db/repositories/feeds.ts';
import { IntakeWriter, storeSingly } from '../../db/repositories/inbox.ts';
import { openBook } from '../../test/support/book.ts';

/** How rows come to the disk: as many as wait in one commit, or each in its own. */
export type Variant = 'grouped' | 'single';

/** What the generator needs; sent once all listen. */
export interface Ready {
  /** Two of each kind's equals, so that one can be held against its like. */
  ports: Record<Variant | 'control', number>;
  feeds: { id: string; secret: string }[];
}

const [databaseUrl, feedCount, poolSize] = process.argv.slice(2);
const clock = { now: () => Date.now(), dayMs: 86_400_000 };
const secretKey = randomBytes(32);

/** The API as it is, with a pool of its own, on a free port. Only the way into the inbox differs. */
async function listen(variant: Variant): Promise<number> {
  const db = createDatabase(databaseUrl!, { max: Number(poolSize), applicationName: `bench-${variant}` });
  const app = await buildApp({
    db,
    clock,
    commands: {
      execute: () => Promise.reject(new Error('No commands here.')),
      isUp: () => Promise.resolve(true),
    },
    intake: intakes[variant](db),
    holidays: holidaysOf,
    texts: createTemplateTexts(null),
    printer: printBatch,
    renderMessage: renderAgain,
    logger: false,
    config: { secretKey, rateLimitPerMinute: 1, trustProxy: false, metricsPublic: false, publicUrl: null },
  });
  await app.listen({ host: '127.0.0.1', port: 0 });
  return (app.server.address() as AddressInfo).port;
}

const intakes: Record<Variant, (db: Db) => WebhookIntake> = {
  grouped: (db) => new IntakeWriter(db),
  single: (db) => ({ write: (row) => storeSingly(db, row), drained: () => Promise.resolve() }),
};

async function createFeeds(): Promise<Ready['feeds']> {
  const db = createDatabase(databaseUrl!, { max: 1 });
  const policy = { steps: [{ key: 'one', day: 5, from: 'due', channel: 'email', template: 'reminder', tone: 'firm' }] };
  const creditor = await openBook(
    { db, clock: { ...clock, setting: undefined as never, delayUntil: () => 0 } },
    policy,
  );
  const feeds = Array.from({ length: Number(feedCount) }, () => ({ id: newFeedId(), secret: newWebhookSecret() }));
  await inTransaction(db, async (tx) => {
    for (const { id, secret } of feeds) {
      const sealedSecret = seal(secret, secretPurpose(id), secretKey);
      const name = `Account ${id.slice(-4)}`;
      await createFeed(tx, systemAct(clock.now()), {
        id,
        creditorId: creditor.id,
        kind: 'standard',
        name,
        iban: null,
        sealedSecret,
        sealedCredentials: null,
      });
    }
  });
  await db.destroy();
  return feeds;
}

process.once('disconnect', () => process.exit(0));
const feeds = await createFeeds();
const ports = { grouped: await listen('grouped'), single: await listen('single'), control: await listen('grouped') };
process.send!({ ports, feeds } satisfies Ready);
