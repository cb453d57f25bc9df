import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { lawOf } from '../../../domain/law/country-law.ts';
import {
  limitationIn,
  LIMITATION_EVENTS,
  type LimitationEvent,
  type LimitationEventKind,
} from '../../../domain/law/limitation.ts';
import { CUSTOMER_KINDS, type CustomerKind } from '../../../domain/policy/types.ts';
import { addDays, addMonths, addYears, daysBetween } from '../../../domain/time/dates.ts';

const event = (kind: LimitationEventKind, on: string, until: string | null = null): LimitationEvent => ({
  kind,
  on,
  until,
});

function barred(
  country: string,
  kind: CustomerKind,
  dueOn: string,
  events: readonly LimitationEvent[] = [],
  more: { issuedOn?: string; contractYears?: number } = {},
): string | null {
  const claim = { issuedOn: more.issuedOn ?? dueOn, dueOn, contractYears: more.contractYears ?? null, events };
  return limitationIn(country, kind, claim)?.on ?? null;
}

describe('the basic limitation period', () => {
  it.each([
    ['law.md §7: C. com. L110-4', 'FR', 'business', '2025-04-30', '2030-04-30'],
    ['law.md §7: C. conso. L218-2', 'FR', 'consumer', '2025-04-30', '2027-04-30'],
    ['law.md §7: BGB 195, 199', 'DE', 'business', '2025-04-30', '2028-12-31'],
    ['law.md §7: Limitation Act 1980', 'GB', 'business', '2025-04-30', '2031-04-30'],
    ['the business period stands in', 'FR', 'publicBody', '2025-04-30', '2030-04-30'],
    ['BGB 199: due on the last day of a year', 'DE', 'consumer', '2025-12-31', '2028-12-31'],
    ['BGB 199: due on the first day of a year', 'DE', 'publicBody', '2026-01-01', '2029-12-31'],
    ['due on a leap day', 'FR', 'consumer', '2024-02-29', '2026-02-28'],
    ['off no weekend: 1 March 2025 is a Saturday', 'FR', 'business', '2020-03-01', '2025-03-01'],
    ['due on a leap day', 'GB', 'consumer', '2024-02-29', '2030-02-28'],
  ] as const)('%s: %s %s due %s ends on %s', (_, country, kind, dueOn, on) => {
    expect(barred(country, kind, dueOn)).toBe(on);
  });

  it('names its source', () => {
    const claim = { issuedOn: '2025-04-30', dueOn: '2025-04-30', contractYears: null, events: [] };
    expect(limitationIn('FR', 'consumer', claim)?.source).toContain('L218-1');
    expect(limitationIn('DE', 'business', claim)?.source).toContain('199');
    const paid = { ...claim, events: [event('acknowledgement', '2026-01-01')] };
    expect(limitationIn('FR', 'business', paid)?.source).toContain('2240');
  });

  it.each(['ES', 'US', 'ZZ', '', 'constructor', 'fr'])('is not guessed for "%s"', (country) => {
    expect(barred(country, 'business', '2025-04-30')).toBeNull();
  });
});

describe('what begins it anew', () => {
  it.each([
    ['C. civ. 2231, 2240', 'FR', 'acknowledgement', '2027-09-14', null, '2032-09-14'],
    ['C. civ. 2241', 'FR', 'courtClaim', '2028-02-01', null, '2033-02-01'],
    [
      'C. civ. 2241: anew from the end of the proceedings, once known',
      'FR',
      'courtClaim',
      '2028-02-01',
      '2029-06-30',
      '2034-06-30',
    ],
    ['C. civ. 2244', 'FR', 'enforcementMeasure', '2030-04-30', null, '2035-04-30'],
    ['BGB 212: not to the end of the year', 'DE', 'partPayment', '2027-05-10', null, '2030-05-10'],
    [
      'BGB 212: in the year the claim arose, the end of the year is later',
      'DE',
      'acknowledgement',
      '2025-09-01',
      null,
      '2028-12-31',
    ],
    ['Limitation Act 1980 s. 29 (unconfirmed)', 'GB', 'partPayment', '2028-01-15', null, '2034-01-15'],
  ] as const)('%s: %s %s of %s to %s: %s', (_, country, kind, on, until, expected) => {
    expect(barred(country, 'business', '2025-04-30', [event(kind, on, until)])).toBe(expected);
  });

  test('C. civ. 2231: the day the period ends is in time, the day after is not', () => {
    const on = (day: string) => barred('FR', 'business', '2025-04-30', [event('acknowledgement', day)]);
    expect(on('2030-04-30')).toBe('2035-04-30');
    expect(on('2030-05-01')).toBe('2030-04-30');
  });

  test('law.md §7: what restarts an earlier restart counts, whatever the order in which they were told', () => {
    const events = [event('courtClaim', '2034-01-10'), event('acknowledgement', '2029-02-01')];
    expect(barred('FR', 'business', '2025-04-30', events)).toBe('2039-01-10');
  });

  test('C. conso. L218-1: a consumer has two years again', () => {
    expect(barred('FR', 'consumer', '2025-04-30', [event('partPayment', '2026-12-01')])).toBe('2028-12-01');
  });
});

describe('what stops it', () => {
  test('C. civ. 2238: the days of a mediation do not run', () => {
    const events = [event('mediation', '2026-03-01', '2026-06-09')];
    expect(daysBetween('2026-03-01', '2026-06-09')).toBe(100);
    expect(barred('FR', 'business', '2025-04-30', events)).toBe(addDays('2030-04-30', 100));
  });

  test.each(['mediation', 'conciliation', 'smallClaimsConsent'] as const)(
    'C. civ. 2238: at least six months are left after a %s that began shortly before the end',
    (kind) => {
      expect(barred('FR', 'business', '2025-04-30', [event(kind, '2030-04-20', '2030-05-31')])).toBe('2030-11-30');
    },
  );

  test('one whose end is not known changes nothing yet: too early rather than too late', () => {
    expect(barred('FR', 'business', '2025-04-30', [event('mediation', '2026-03-01')])).toBe('2030-04-30');
  });

  test('BGB 204(2): a claim before the court suspends until six months after its end', () => {
    const events = [event('courtClaim', '2028-06-01', '2029-01-31')];
    // 1 June 2028 to 31 July 2029 does not run.
    expect(barred('DE', 'business', '2025-04-30', events)).toBe(
      addDays('2028-12-31', daysBetween('2028-06-01', '2029-07-31')),
    );
  });
});

describe('its bounds', () => {
  test('C. civ. 2232: never beyond twenty years', () => {
    const events = ['2029-01-01', '2033-12-31', '2038-12-31', '2043-12-31'].map((on) => event('acknowledgement', on));
    expect(barred('FR', 'business', '2025-04-30', events, { issuedOn: '2025-03-31' })).toBe('2045-03-31');
  });

  test('C. civ. 2254: a contract between firms sets 1 to 10 years', () => {
    expect(lawOf('FR')?.limitation.business?.contract).toMatchObject({ from: 1, to: 10 });
    expect(barred('FR', 'business', '2025-04-30', [], { contractYears: 1 })).toBe('2026-04-30');
    expect(barred('FR', 'business', '2025-04-30', [], { contractYears: 10 })).toBe('2035-04-30');
    expect(lawOf('FR')?.limitation.consumer?.contract).toBeNull();
    expect(lawOf('FR')?.limitation.publicBody?.contract).toBeNull();
  });

  test('law.md §0: no reminder and no notice is among what restarts it', () => {
    for (const country of ['FR', 'DE', 'GB']) {
      for (const kind of CUSTOMER_KINDS) {
        const known = Object.keys(lawOf(country)!.limitation[kind]!.events);
        expect(known.every((one) => (LIMITATION_EVENTS as readonly string[]).includes(one))).toBe(true);
        expect(known).not.toContain('reminder');
        expect(known).not.toContain('formalNotice');
      }
    }
  });
});

describe('whatever happens', () => {
  const day = fc.integer({ min: 0, max: 9_000 }).map((n) => addDays('2020-01-01', n));
  const happened = fc
    .record({
      kind: fc.constantFrom(...LIMITATION_EVENTS),
      on: day,
      lasts: fc.option(fc.integer({ min: 0, max: 900 })),
    })
    .map(({ kind, on, lasts }): LimitationEvent => ({ kind, on, until: lasts === null ? null : addDays(on, lasts) }));
  const place = fc.record({ country: fc.constantFrom('FR', 'DE', 'GB'), kind: fc.constantFrom(...CUSTOMER_KINDS) });

  test('it ends after the due date, and one event more never brings it forward', () => {
    fc.assert(
      fc.property(
        place,
        day,
        fc.array(happened, { maxLength: 6 }),
        happened,
        ({ country, kind }, due, events, more) => {
          const without = barred(country, kind, due, events)!;
          expect(without > due).toBe(true);
          expect(without >= barred(country, kind, due)!).toBe(true);
          // What is left out of a period may have kept a later one alive, never the other way round.
          expect(barred(country, kind, due, [...events, more])! >= without).toBe(true);
        },
      ),
    );
  });

  test('a later due date never ends it earlier, and the order in which events are told does not matter', () => {
    fc.assert(
      fc.property(place, day, fc.integer({ min: 0, max: 700 }), ({ country, kind }, due, more) => {
        expect(barred(country, kind, addDays(due, more))! >= barred(country, kind, due)!).toBe(true);
      }),
    );
    fc.assert(
      fc.property(
        place,
        day,
        fc.uniqueArray(happened, { selector: ({ on }) => on, maxLength: 5 }),
        (where, due, events) => {
          const { country, kind } = where;
          expect(barred(country, kind, due, events.toReversed())).toBe(barred(country, kind, due, events));
        },
      ),
    );
  });

  test('in France after a suspension of which the end is known six months are left, up to the long stop', () => {
    fc.assert(
      fc.property(day, fc.integer({ min: 1, max: 1_800 }), fc.integer({ min: 0, max: 1_500 }), (due, after, lasts) => {
        const on = addDays(due, after);
        const until = addDays(on, lasts);
        const end = barred('FR', 'business', due, [event('mediation', on, until)])!;
        const least = addMonths(until, 6);
        expect(end >= (least < addYears(due, 20) ? least : addYears(due, 20))).toBe(true);
      }),
    );
  });
});
