import { resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readOptions, UsageError } from '../../scripts/start/options.ts';

describe('the command line of npm start', () => {
  test('says nothing: the demo in .relance, every choice left to the defaults', () => {
    expect(readOptions([])).toEqual({
      empty: false,
      once: false,
      fresh: false,
      dataDir: resolve('.relance'),
      dayMs: undefined,
      now: undefined,
      port: undefined,
    });
  });

  test('reads every option', () => {
    const given = [
      '--empty',
      '--fresh',
      '--day',
      '1.5s',
      '--now',
      '2026-03-02',
      '--data',
      '/tmp/a b',
      '--port',
      '4000',
    ];
    expect(readOptions(given)).toEqual({
      empty: true,
      once: false,
      fresh: true,
      dataDir: '/tmp/a b',
      dayMs: 1_500,
      now: Date.UTC(2026, 2, 2),
      port: 4_000,
    });
    expect(readOptions(['--now', '2026-03-02T08:00:00+01:00'])).toMatchObject({ now: Date.UTC(2026, 2, 2, 7) });
    expect(readOptions(['--help', '--once'])).toBe('help');
    expect(readOptions(['--book', '../x/single', '--year', '2017', '--once'])).toMatchObject({
      book: { prefix: '../x/single', year: 2017, rules: 'default' },
      once: true,
    });
    expect(readOptions(['--book', 'x', '--rules', 'all'])).toMatchObject({
      book: { prefix: 'x', year: undefined, rules: 'all' },
    });
  });

  test.each([
    [['--fast'], /--fast/],
    [['demo'], /demo/],
    [['--data', ''], /--data needs a folder/],
    [['--day'], /--day/],
    [['--day', '2'], /--day 2: .*ms, s, m or h/],
    [['--day', '25h'], /--day 25h/],
    [['--now', '2026-02-30'], /--now 2026-02-30: give a date/],
    [['--now', '2026-03-02T08:00:00'], /--now 2026-03-02T08:00:00/],
    [['--port', '0'], /--port 0: .*65535/],
    [['--port', '70000'], /--port 70000/],
    [['--port', 'x'], /--port x/],
    [['--empty', '--once'], /--once .*--empty/],
    [['--book', 'x', '--empty'], /--book .*--empty/],
    [['--book', ''], /--book needs/],
    [['--book', 'x', '--year', '17'], /--year 17: give a year/],
    [['--book', 'x', '--year', '2017', '--rules', 'some'], /--rules some: give default or all/],
    [['--book', 'x', '--year', '2017', '--now', '2017-09-20'], /--now and --book/],
    [['--year', '2017'], /--year .*--book/],
    [['--rules', 'all'], /--rules .*--book/],
  ])('refuses %j in one sentence', (args, sentence) => {
    let error: unknown;
    try {
      readOptions(args);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(UsageError);
    const { message } = error as UsageError;
    expect(message).toMatch(sentence);
    expect(message).toMatch(/\. See npm start -- --help\.$/);
    expect(message).not.toContain('\n');
  });
});
