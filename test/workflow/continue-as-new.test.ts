import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { factSignals, wakeSignal } from '../../workflows/messages.ts';
import { EVERY_DAY } from '../support/book.ts';
import { startTestService, until, type TestService } from '../support/service.ts';
import { begin } from './life.ts';

const POLICY = {
  contact: EVERY_DAY,
  steps: [{ key: 'one', day: 300, from: 'due', channel: 'email', template: 'reminder' }],
};
/** The server suggests a new history after four megabytes; payloads of this size reach that in a few dozen messages. */
const FAT = 'x'.repeat(120_000);

describe('a case that continues as new', { timeout: 120_000 }, () => {
  let service: TestService;
  let turns = 0;
  beforeAll(async () => {
    service = await startTestService({
      now: '2026-03-02T06:00:00Z',
      dayMs: 86_400_000,
      around: (activities) => ({
        ...activities,
        turn: (input) => {
          turns += 1;
          return activities.turn(input);
        },
      }),
    });
  });
  afterAll(async () => service.stop());

  it('still knows what it has heard: the same message again makes it take no turn', async () => {
    const life = await begin(service, POLICY, 10);
    await life.ready();
    await life.quiet();
    const { handle } = life;
    let more = 45;
    const first = (await handle.describe()).runId;
    await handle.signal(factSignals.promised, { id: 'pro_known' });
    for (let n = 0; n < 45; n++) await handle.signal(wakeSignal, { factId: `fact_${n}`, ...{ ballast: FAT } });
    // Where all of them reach the case in one go, the server tells it of the size of its history with the next message only.
    await until('another history', async () => {
      if ((await handle.describe()).runId !== first) return true;
      await handle.signal(wakeSignal, { factId: `fact_${more++}`, ...{ ballast: FAT } });
      return false;
    });
    // An answer to a query means that everything before it was handled.
    await life.state();
    const before = turns;
    for (let n = 0; n < 3; n++) await handle.signal(factSignals.promised, { id: 'pro_known' });
    await handle.signal(wakeSignal, { factId: 'fact_44' });
    await life.state();
    expect(turns).toBe(before);
    // What is new is heard.
    await handle.signal(factSignals.promised, { id: 'pro_new' });
    await until('a turn', async () => turns === before + 1);
    await handle.signal(factSignals.promised, { id: 'pro_new' });
    await life.state();
    expect(turns).toBe(before + 1);
    expect(life.mails()).toEqual([]);
  });
});
