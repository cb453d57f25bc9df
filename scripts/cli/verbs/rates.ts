import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { CliError, wrongUsage } from '../errors.ts';
import { text, type Call, type Verb } from '../verb.ts';

interface Rate {
  series: string;
  from: string;
  to: string;
  rate: string;
  source: string;
}

interface Rates {
  data: (Rate & { addedBy: string | null })[];
}

const FIELDS = ['series', 'from', 'to', 'rate', 'source'] as const;

export const listRates: Verb = {
  name: 'rates list',
  takes: '[--series NAME]',
  summary: 'The reference rates that interest is worked out by, with their source',
  options: { series: { value: 'NAME', help: 'only this series, such as ecbMro' } },
  words: { least: 0, most: 0 },
  async run(call) {
    const { data } = await call.api.patiently<Rates>('/v1/rates', { as: 'admin' });
    show(call, data);
    return 0;
  },
};

export const addRates: Verb = {
  name: 'rates add',
  takes: '[FILE] [--series … --from … --to … --rate … --source …]',
  summary: 'Adds reference rates that were published, with their source',
  about:
    'FILE is JSON, a list of {series, from, to, rate, source}; one rate can be given by options. Each is of one half-year and ' +
    'follows its series without a gap, else nothing is added. Needs the admin key.',
  options: {
    series: { value: 'NAME', help: 'ecbMro, frLegalProfessional, frLegalIndividual, deBase, gbBankRate' },
    from: { value: 'DATE', help: 'first day, 1 January or 1 July' },
    to: { value: 'DATE', help: 'last day, 30 June or 31 December' },
    rate: { value: 'PERCENT', help: 'per cent a year, such as 2.40' },
    source: { value: 'TEXT', help: 'where it was published' },
  },
  words: { least: 0, most: 1 },
  async run(call) {
    const rates =
      call.words[0] === undefined ? [fromOptions(call)] : await fromFile(resolve(call.folder, call.words[0]));
    const { data } = await call.api.patiently<Rates>('/v1/rates', { method: 'PUT', as: 'admin', json: { rates } });
    const known = (rate: Rate): boolean => rates.some((one) => one.series === rate.series && one.from === rate.from);
    show(call, data.filter(known));
    return 0;
  },
};

function fromOptions(call: Call): Rate {
  const given = Object.fromEntries(
    FIELDS.map((field) => {
      const value = text(call, field);
      if (value === undefined) throw wrongUsage(`--${field} is missing; or name a FILE.`);
      return [field, value];
    }),
  );
  return given as unknown as Rate;
}

async function fromFile(path: string): Promise<Rate[]> {
  let read: unknown;
  try {
    read = JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    throw new CliError(`${path} cannot be read as JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (!Array.isArray(read)) throw new CliError(`${path} is not a list of rates.`);
  return read as Rate[];
}

function show(call: Call, rates: Rates['data']): void {
  const series = text(call, 'series');
  const rows = rates.filter((rate) => series === undefined || rate.series === series);
  call.output.table(
    ['series', 'from', 'to', 'rate', 'source', 'added by'],
    rows.map((rate) => [rate.series, rate.from, rate.to, rate.rate, rate.source, rate.addedBy ?? '']),
  );
}
