import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { paidOf, statementOf } from '../../domain/agency/account.ts';
import type { AccountLine } from '../../domain/agency/claim-facts.ts';
import { csvOf } from '../../domain/csv.ts';
import { safeName } from '../../domain/agency/entry-names.ts';
import { webhookUrlFault } from '../../domain/agency/webhook-url.ts';

describe('names in the archive', () => {
  test.each([
    ['INV-2026-0042', 'INV-2026-0042'],
    ['../../etc/passwd', 'etc-passwd'],
    ['..\\..\\boot.ini', 'boot.ini'],
    ['Fälle/2026 №7', 'Falle-2026-No7'],
    ['con', '_con'],
    ['NUL.txt', '_NUL.txt'],
    ['.hidden', 'hidden'],
    ['请求', 'invoice'],
    ['\u0000\u202e', 'invoice'],
  ])('%j becomes %j', (text, name) => {
    expect(safeName(text, 'invoice')).toBe(name);
  });

  test('never leave their folder, whatever the text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 100 }), (text) => {
        const name = safeName(text, 'invoice');
        expect(name).toMatch(/^[A-Za-z0-9_]([A-Za-z0-9._-]*[A-Za-z0-9_])?$/);
        expect(name).not.toContain('..');
        expect(name.length).toBeLessThanOrEqual(61);
      }),
    );
  });
});

test('a table quotes what it must and defuses formulas', () => {
  const rows = [
    ['a,b', 'say "x"', null],
    ['=HYPERLINK(1)', '-1', 'two\nlines'],
  ];
  expect(csvOf(['one', 'two', 'three'], rows)).toBe(
    'one,two,three\r\n"a,b","say ""x""",\r\n\'=HYPERLINK(1),-1,"two\nlines"\r\n',
  );
});

describe('the address of webhooks', () => {
  test.each([
    'https://agency.example/hook?x=1',
    'https://8.8.8.8/',
    'http://127.0.0.1:8080/x',
    'http://localhost/',
    'https://[2606:4700::1111]/',
  ])('%s is usable', (url) => expect(webhookUrlFault(url)).toBeNull());
  test.each([
    'agency.example',
    'http://agency.example/',
    'ftp://127.0.0.1/',
    'https://10.0.0.1/',
    'https://172.20.1.1/',
    'https://192.168.1.1/',
    'https://100.64.0.1/',
    'https://169.254.169.254/',
    'https://0x7f000002/',
    'https://[fe80::1]/',
    'https://[fd00::1]/',
    'https://[::ffff:10.0.0.1]/',
    'https://user@agency.example/',
    'https://agency.example/#part',
  ])('%s is not', (url) => expect(webhookUrlFault(url)).not.toBeNull());
});

test('a statement goes by date, then by the order of the journal', () => {
  const line = (on: string, kind: string, amountMinor: bigint, method: string | null = null): AccountLine => ({
    on,
    kind,
    amountMinor,
    reference: null,
    method,
  });
  const account = [
    line('2026-01-02', 'invoiceRegistered', 10_000n),
    line('2026-02-10', 'allocated', -4_000n, 'transfer'),
    line('2026-02-05', 'creditAllocated', -1_000n),
    line('2026-02-10', 'allocationUndone', 4_000n, 'transfer'),
    line('2026-02-12', 'allocated', -2_500n, 'agency'),
  ];
  expect(statementOf(account).map(({ on, balanceMinor }) => [on, balanceMinor])).toEqual([
    ['2026-01-02', 10_000n],
    ['2026-02-05', 9_000n],
    ['2026-02-10', 5_000n],
    ['2026-02-10', 9_000n],
    ['2026-02-12', 6_500n],
  ]);
  expect(paidOf(account)).toBe(2_500n);
});
