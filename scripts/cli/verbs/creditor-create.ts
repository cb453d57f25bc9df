import { randomUUID } from 'node:crypto';
import { localeOfCountry, zoneOfCountry } from '../../../domain/time/country-zones.ts';
import { wrongUsage } from '../errors.ts';
import { text, type Call, type Verb } from '../verb.ts';

export const createCreditor: Verb = {
  name: 'creditor create',
  takes: '--name … --country … --sender-email … [options]',
  summary: 'Adds a creditor with the preset policies and prints its id and first key',
  about: 'Needs the admin key: that of the data folder, or RELANCE_API_KEY.',
  options: {
    name: { value: 'NAME', help: 'as its customers know it' },
    country: { value: 'CC', help: 'ISO 3166-1 code, such as FR' },
    'sender-email': { value: 'ADDRESS', help: 'what reminders are sent from' },
    'reply-to': { value: 'ADDRESS', help: 'what customers answer to' },
    'time-zone': { value: 'ZONE', help: 'IANA name (default: that of the country)' },
    locale: { value: 'TAG', help: 'language (default: that of the country, else en)' },
    'registration-id': { value: 'TEXT', help: 'SIREN, HRB, …' },
    'vat-id': { value: 'TEXT', help: 'VAT number' },
    iban: { value: 'IBAN', help: 'the account that customers pay to' },
    'default-policy': { value: 'NAME', help: 'one of the presets; without it country and kind of a customer choose' },
    'payment-days': { value: 'N', help: 'where an imported document has no due date (default 30)' },
  },
  words: { least: 0, most: 0 },
  async run(call) {
    const country = needed(call, 'country').toUpperCase();
    if (!/^[A-Z]{2}$/.test(country)) throw wrongUsage('--country is a code of two letters, such as FR.');
    const days = text(call, 'payment-days');
    if (days !== undefined && !/^\d{1,3}$/.test(days)) throw wrongUsage('--payment-days is a number of days.');
    const made = await call.api.patiently<{ id: string; name: string; apiKey: string }>('/v1/creditors', {
      method: 'POST',
      as: 'admin',
      idempotencyKey: randomUUID(),
      json: {
        name: needed(call, 'name'),
        country,
        timeZone: text(call, 'time-zone') ?? zoneOfCountry(country, 'UTC'),
        locale: text(call, 'locale') ?? localeOfCountry(country, { country: '', locale: 'en' }),
        senderEmail: needed(call, 'sender-email'),
        replyTo: text(call, 'reply-to'),
        registrationId: text(call, 'registration-id'),
        vatId: text(call, 'vat-id'),
        iban: text(call, 'iban'),
        defaultPolicy: text(call, 'default-policy'),
        ...(days === undefined ? {} : { paymentDays: Number(days) }),
      },
    });
    call.output.facts([
      ['creditor', made.id],
      ['name', made.name],
      ['key', made.apiKey],
    ]);
    call.output.note('The key is shown this once; it is an approver’s.');
    return 0;
  },
};

function needed(call: Call, name: string): string {
  const value = text(call, name);
  if (value === undefined || value.trim() === '') throw wrongUsage(`--${name} is missing.`);
  return value;
}
