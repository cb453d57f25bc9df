import { describe, expect, test } from 'vitest';
import { renderLetterMessage } from '../../activities/letters/index.ts';
import { formatterFor } from '../../activities/mail/format.ts';
import type { MessageModel } from '../../activities/mail/render.ts';
import { lawOf } from '../../domain/law/country-law.ts';
import { missingMentions, NOTICE_MENTIONS, type PrintedNotice } from '../../domain/law/notice-mentions.ts';
import { FRENCH, GERMAN, letter, row } from './models.ts';
import { readPages } from './reading.ts';

const PLACES = [
  ['FR', 'fr-FR', FRENCH, 'law.md §4: C. civ. 1344, C. com. L441-10'],
  ['DE', 'de-DE', GERMAN, 'law.md §4: BGB 286(1)'],
  ['GB', 'en-GB', { creditorCountry: 'GB', place: 'Leeds' }, 'law.md §4'],
] as const;

function notice(country: string, locale: string, change: Partial<MessageModel> = {}): MessageModel {
  const rows = [row(1, { amount: '7387.55', invoiceTotal: '12000.00' }), row(2, { amount: '612.45' })];
  return letter({
    locale,
    country,
    channel: 'registeredLetter',
    deadlineDays: 8,
    tables: [{ currency: 'EUR', total: '8000.00', rows }],
    claim: {
      currency: 'EUR',
      principal: '8000.00',
      interest: '319.64',
      compensation: '80.00',
      total: '8399.64',
      perDay: '2.66',
    },
    ...change,
  });
}

/** The notice as it was printed, with what it should show in the words of its place. */
async function printed(
  model: MessageModel,
  details: (typeof PLACES)[number][2],
  signed: string | null = null,
): Promise<PrintedNotice> {
  const format = formatterFor(model.locale);
  const money = (amount: string): string => format.money(amount, 'EUR');
  const { pdf } = await renderLetterMessage('formal-notice', model, { ...details, signatory: signed });
  const [table] = model.tables;
  return {
    text: (await readPages(pdf)).join('\n'),
    isForBusiness: model.customerKind === 'business',
    date: format.longDate(model.today),
    creditor: [model.creditor.name, model.creditor.addressLines[0]!],
    debtor: [model.customer.name, model.customer.addressLines[0]!],
    invoices: table!.rows.map((one) => ({
      number: one.number,
      issuedOn: format.shortDate(one.issuedOn),
      dueOn: format.shortDate(one.dueOn),
      amount: money(one.amount),
    })),
    claim: ['8000.00', '319.64', '80.00'].map(money),
    total: money('8399.64'),
    perDay: money('2.66'),
    iban: 'FR76 3000 6000 0112 3456 7890 189',
    reference: model.reference,
    contact: model.creditor.replyTo!,
    signedBy: signed ?? model.creditor.name,
  };
}

describe.each(PLACES)('a formal notice in %s (%s)', (country, locale, details, source) => {
  const rule = lawOf(country)!.notice!;

  test(`shows everything (${source})`, async () => {
    expect(missingMentions(rule, await printed(notice(country, locale), details))).toEqual([]);
  });

  test('names no law of firms to a consumer', async () => {
    const found = await printed(notice(country, locale, { customerKind: 'consumer' }), details);
    expect(missingMentions(rule, found)).toEqual([]);
    if (country === 'FR') expect(found.text).not.toContain('L441-10');
  });
});

describe('the check itself', () => {
  const rule = lawOf('FR')!.notice!;

  test('finds each mention that is not there', async () => {
    const whole = await printed(notice('FR', 'fr-FR'), FRENCH);
    expect(missingMentions(rule, { ...whole, text: '' })).toEqual([...NOTICE_MENTIONS]);
    const without = (words: string) => missingMentions(rule, { ...whole, text: whole.text.replaceAll(words, '') });
    expect(without('MISE EN DEMEURE')).toEqual(['title']);
    expect(without('L441-10')).toEqual(['texts']);
    expect(without('F-2026-0002')).toEqual(['invoices']);
    expect(missingMentions(rule, { ...whole, total: '9 999,99 €' })).toEqual(['total']);
    expect(missingMentions(rule, { ...whole, signedBy: 'Somebody Else' })).toEqual(['signature']);
    expect(missingMentions(rule, { ...whole, claim: ['1,23 €'] })).toEqual(['claimApart']);
  });

  test('who signs is printed', async () => {
    expect(missingMentions(rule, await printed(notice('FR', 'fr-FR'), FRENCH, 'Camille Roux'))).toEqual([]);
  });
});
