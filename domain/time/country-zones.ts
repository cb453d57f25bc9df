import { isTimeZone } from './zones.ts';

/** Countries with several zones, and the one most people there live in; all others have one. */
const MAIN_ZONES: Readonly<Record<string, string>> = {
  AR: 'America/Argentina/Buenos_Aires',
  AU: 'Australia/Sydney',
  BR: 'America/Sao_Paulo',
  CA: 'America/Toronto',
  CD: 'Africa/Kinshasa',
  CL: 'America/Santiago',
  CN: 'Asia/Shanghai',
  CY: 'Asia/Nicosia',
  DE: 'Europe/Berlin',
  EC: 'America/Guayaquil',
  ES: 'Europe/Madrid',
  FM: 'Pacific/Pohnpei',
  GB: 'Europe/London',
  GL: 'America/Nuuk',
  ID: 'Asia/Jakarta',
  KI: 'Pacific/Tarawa',
  KZ: 'Asia/Almaty',
  MH: 'Pacific/Majuro',
  MN: 'Asia/Ulaanbaatar',
  MX: 'America/Mexico_City',
  MY: 'Asia/Kuala_Lumpur',
  NZ: 'Pacific/Auckland',
  PF: 'Pacific/Tahiti',
  PG: 'Pacific/Port_Moresby',
  PS: 'Asia/Gaza',
  PT: 'Europe/Lisbon',
  RU: 'Europe/Moscow',
  UA: 'Europe/Kyiv',
  UM: 'Pacific/Wake',
  US: 'America/New_York',
  UZ: 'Asia/Tashkent',
  VN: 'Asia/Ho_Chi_Minh',
};

/** Older engines have a getter, newer ones a method (ECMA-402, Intl Locale Info). */
type LocaleWithZones = Intl.Locale & { timeZones?: string[]; getTimeZones?: () => string[] | undefined };

/**
 * The time zone to assume for someone in that country (ISO 3166-1 alpha-2) who has not named one; `otherwise` where the
 * country is not known.
 */
export function zoneOfCountry(country: string, otherwise: string): string {
  const main = Object.hasOwn(MAIN_ZONES, country) ? MAIN_ZONES[country] : undefined;
  if (main !== undefined && isTimeZone(main)) return main;
  const locale = new Intl.Locale(`und-${country}`) as LocaleWithZones;
  const zone = (locale.getTimeZones?.() ?? locale.timeZones)?.[0];
  return zone !== undefined && isTimeZone(zone) ? zone : otherwise;
}

/** The languages texts exist in, by country; everyone else reads English. */
const LANGUAGES: Readonly<Record<string, string>> = {
  AT: 'de',
  BJ: 'fr',
  CI: 'fr',
  DE: 'de',
  FR: 'fr',
  LI: 'de',
  LU: 'fr',
  MC: 'fr',
  SN: 'fr',
};

/** The language to assume for someone in that country: the creditor's own at home, else by the table, else English. */
export function localeOfCountry(country: string, home: { country: string; locale: string }): string {
  if (country === home.country) return home.locale;
  return (Object.hasOwn(LANGUAGES, country) ? LANGUAGES[country] : undefined) ?? 'en';
}
