/** A text of a file that is put in the place of another, which occurs in it exactly once. */
export interface Patch {
  file: string;
  search: string;
  replace: string;
}

/** A bug that somebody could write, and the test files that must not let it through. */
export interface Mutant {
  name: string;
  /** What the bug does to a customer or a creditor. */
  harm: string;
  patches: Patch[];
  /** Run in the patched copy; at least one test of them has to fail. */
  tests: string[];
}

/** Ten bugs that the suite has to catch. Each is small, and each would hurt somebody. */
export const MUTANTS: readonly Mutant[] = [
  {
    name: 'sendWithoutUniqueKey',
    harm: 'The database lets one step of a case into two messages.',
    patches: [
      {
        file: 'db/migrations/0001-spine.ts',
        search: 'create unique index contact_items_once on contact_items',
        replace: 'create index contact_items_once on contact_items',
      },
    ],
    tests: ['test/worker/locks.test.ts'],
  },
  {
    name: 'signalBeforeCommit',
    harm: 'A case hears of money that a rolled back transaction never booked.',
    patches: [
      {
        file: 'db/database.ts',
        search: 'return new Kysely<Database>({ dialect: new PostgresDialect({ pool }) });\n}',
        replace:
          'return (outside.db = new Kysely<Database>({ dialect: new PostgresDialect({ pool }) }));\n}\n' +
          'export const outside: { db: Db | null } = { db: null };',
      },
      {
        file: 'db/repositories/outbox.ts',
        search: "import { sqlState, type Db, type Tx } from '../database.ts';",
        replace: "import { outside, sqlState, type Db, type Tx } from '../database.ts';",
      },
      {
        file: 'db/repositories/outbox.ts',
        search: 'from (select count(*) from put) counted`.execute(tx);',
        replace: 'from (select count(*) from put) counted`.execute(outside.db ?? tx);',
      },
    ],
    tests: ['test/db/outbox.test.ts'],
  },
  {
    name: 'fenceWithoutLock',
    harm: 'A reminder leaves for money that is being booked at that moment.',
    patches: [
      {
        file: 'worker/relays/mail-relay.ts',
        search: '  await lockCustomers(tx, [customerId]);\n',
        replace: '',
      },
      {
        file: 'worker/relays/mail-relay.ts',
        search:
          '  const items = await itemsOf(tx, contactId);\n' +
          '  await lockInvoices(\n    tx,\n    items.map((i) => i.invoice_id),\n  );\n',
        replace: '  const items = await itemsOf(tx, contactId);\n',
      },
    ],
    tests: ['test/worker/locks.test.ts'],
  },
  {
    name: 'dayInUtc',
    harm: 'Between midnight and one in Paris the case lives on the day before.',
    patches: [
      {
        file: 'domain/case/decide.ts',
        search: 'const today = localDate(now, customer.creditorZone);',
        replace: "const today = localDate(now, 'UTC');",
      },
    ],
    tests: ['test/domain/case/ladder.test.ts'],
  },
  {
    name: 'promiseRestartsLadder',
    harm: 'Whoever breaks a promise is reminded again from the first step on.',
    patches: [
      {
        file: 'domain/case/ladder.ts',
        search: '  const records = recordsOf(facts, nominal);\n',
        replace:
          '  const word = lastBrokenWord(facts);\n' +
          '  const records = recordsOf(facts, nominal).map((r) => (word !== null && r !== null && r.plannedOn <= word ? null : r));\n',
      },
    ],
    tests: ['test/domain/case/ladder.test.ts'],
  },
  {
    name: 'holdLosesElapsedTime',
    harm: 'After a hold the wait for the next step begins anew instead of going on.',
    patches: [
      {
        file: 'domain/case/standing.ts',
        search: 'moved = addDays(moved, daysBetween(from, s.to));',
        replace: 'moved = addDays(s.to, daysBetween(since, day));',
      },
    ],
    tests: ['test/domain/case/ladder.test.ts'],
  },
  {
    name: 'recallForgotten',
    harm: 'The agency goes on collecting what was paid to the creditor.',
    patches: [
      {
        file: 'db/repositories/case-turn.ts',
        search:
          "  await endPlacement(tx, act, one.invoiceId, { status: 'ended', reason: closing.stage, on: today });\n",
        replace: '',
      },
    ],
    tests: ['test/worker/branches.test.ts'],
  },
  {
    name: 'staleNoticeAmount',
    harm: 'A formal notice leaves for the amount of its approval, though part of that has been paid.',
    patches: [
      {
        file: 'domain/case/plan-contacts.ts',
        search:
          'if (asks !== record.amountMinor || noticeForbidden(facts, customer, asks, today) !== null) return null;',
        replace: 'if (noticeForbidden(facts, customer, asks, today) !== null) return null;',
      },
      {
        file: 'domain/case/plan-contacts.ts',
        search: 'attachInvoice: true,\n    recipients,\n    amountMinor: asks,',
        replace: 'attachInvoice: true,\n    recipients,\n    amountMinor: record.amountMinor ?? asks,',
      },
    ],
    tests: ['test/worker/branches.test.ts'],
  },
  {
    name: 'rolloutThatSends',
    harm: 'A roll-out lets messages leave that its dry run did not show.',
    patches: [
      {
        file: 'domain/case/rollout.ts',
        search: 'if (stay.size === 0) break;',
        replace: 'if (stay.size >= 0) break;',
      },
    ],
    tests: ['test/domain/case/rollout.test.ts'],
  },
  {
    name: 'duplicatesAfterContinueAsNew',
    harm: 'A message that is delivered twice counts twice once the workflow has begun a new history.',
    patches: [
      {
        file: 'workflows/invoice-case.ts',
        search: '{ invoiceId: this.#invoiceId, run: this.#run, seen: [...this.#seen] }',
        replace: '{ invoiceId: this.#invoiceId, run: this.#run }',
      },
    ],
    tests: ['test/workflow/continue-as-new.test.ts'],
  },
];

/** How often a text occurs in another. */
export const occurrences = (text: string, search: string): number => text.split(search).length - 1;
