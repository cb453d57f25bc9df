/**
 * Checks a fichier des écritures comptables against article A47 A-1 of the livre des procédures fiscales (VII-1° and the
 * general rules of I to VI), written from the text and apart from what writes the file. Returns what is wrong, a sentence
 * each.
 */
const FIELDS =
  'JournalCode JournalLib EcritureNum EcritureDate CompteNum CompteLib CompAuxNum CompAuxLib PieceRef PieceDate EcritureLib Debit Credit EcritureLet DateLet ValidDate Montantdevise Idevise'.split(
    ' ',
  );
/** May be empty: the text says so of each. */
const OPTIONAL = new Set(['CompAuxNum', 'CompAuxLib', 'EcritureLet', 'DateLet', 'Montantdevise', 'Idevise']);

export function checkFec(filename: string, bytes: Buffer): string[] {
  const problems: string[] = [];
  const say = (line: number, what: string): void => void problems.push(`line ${line}: ${what}`);
  if (!/^\d{9}FEC\d{8}\.txt$/.test(filename)) problems.push(`the name ${filename} is not SIREN, FEC, closing date`);
  else if (!isDay(filename.slice(12, 20))) problems.push('the closing date of the name is no date');

  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return [...problems, 'it is not UTF-8'];
  }
  if (text.startsWith('\ufeff')) problems.push('it begins with a byte order mark');
  if (!text.endsWith('\n')) problems.push('the last line does not end');
  const lines = text.split(/\r\n|\n/).slice(0, -1);
  const separator = lines[0]?.includes('\t') ? '\t' : '|';
  if (lines[0]?.split(separator).join(' ') !== FIELDS.join(' '))
    problems.push('the heading is not the 18 fields in order');

  const entries = new Map<string, { debit: bigint; credit: bigint; date: string; valid: string; line: number }>();
  const numbers = new Map<string, number[]>();
  const names = { JournalLib: new Map<string, string>(), CompteLib: new Map<string, string>() };
  let validBefore = '';
  for (const [index, raw] of lines.slice(1).entries()) {
    const n = index + 2;
    const cells = raw.split(separator);
    if (cells.length !== FIELDS.length) {
      say(n, `${cells.length} fields instead of ${FIELDS.length}`);
      continue;
    }
    const row = Object.fromEntries(FIELDS.map((field, i) => [field, cells[i]!])) as Record<string, string>;
    for (const field of FIELDS) {
      if (row[field]!.trim() === '' && !OPTIONAL.has(field)) say(n, `${field} is empty`);
      if (row[field] !== row[field]!.trim()) say(n, `${field} has spaces around it`);
    }
    for (const field of ['EcritureDate', 'PieceDate', 'ValidDate', 'DateLet'] as const) {
      if (row[field] !== '' && !isDay(row[field]!)) say(n, `${field} is no date YYYYMMDD`);
    }
    if (!/^\d{3}/.test(row['CompteNum']!)) say(n, 'CompteNum does not begin with three digits');
    if ((row['CompAuxNum'] === '') !== (row['CompAuxLib'] === '')) say(n, 'half a subsidiary account');
    if ((row['EcritureLet'] === '') !== (row['DateLet'] === '')) say(n, 'half a lettering');
    if ((row['Montantdevise'] === '') !== (row['Idevise'] === '')) say(n, 'half an amount in a currency');
    const debit = cents(row['Debit']!);
    const credit = cents(row['Credit']!);
    if (debit === null || credit === null) {
      say(n, 'an amount is not digits with a comma and two decimals');
      continue;
    }
    if ((debit === 0n) === (credit === 0n)) say(n, 'it is neither a debit nor a credit');
    for (const [label, number] of [
      ['JournalLib', 'JournalCode'],
      ['CompteLib', 'CompteNum'],
    ] as const) {
      const known = names[label].get(row[number]!);
      if (known !== undefined && known !== row[label]) say(n, `${row[number]} has two names`);
      names[label].set(row[number]!, row[label]!);
    }
    if (row['ValidDate']! < validBefore) say(n, 'it is not in the order of validation');
    validBefore = row['ValidDate']!;
    const filenameDay = filename.slice(12, 20);
    if (row['EcritureDate']! > filenameDay) say(n, 'it is dated after the closing date');
    if (row['ValidDate']! < row['EcritureDate']!) {
      // A future-dated piece is no fault of the format; a booking is not validated before its own day.
      say(n, 'it was validated before its date');
    }
    const key = `${row['JournalCode']} ${row['EcritureNum']}`;
    const entry = entries.get(key);
    if (entry === undefined) {
      entries.set(key, { debit, credit, date: row['EcritureDate']!, valid: row['ValidDate']!, line: n });
      const list = numbers.get(row['JournalCode']!) ?? [];
      if (!/^\d+$/.test(row['EcritureNum']!)) say(n, 'EcritureNum is no number of a sequence');
      list.push(Number(row['EcritureNum']));
      numbers.set(row['JournalCode']!, list);
    } else {
      if (entry.date !== row['EcritureDate'] || entry.valid !== row['ValidDate']) say(n, `entry ${key} has two dates`);
      entry.debit += debit;
      entry.credit += credit;
    }
  }
  for (const [key, { debit, credit, line }] of entries) {
    if (debit !== credit) say(line, `entry ${key} does not balance`);
  }
  for (const [journal, list] of numbers) {
    const sorted = [...list].sort((a, b) => a - b);
    const gap = sorted.findIndex((number, i) => i > 0 && number !== sorted[i - 1]! + 1);
    if (gap > 0) problems.push(`journal ${journal} has a gap before number ${sorted[gap]}`);
  }
  return problems;
}

function cents(text: string): bigint | null {
  return /^\d+,\d{2}$/.test(text) ? BigInt(text.replace(',', '')) : null;
}

function isDay(text: string): boolean {
  if (!/^\d{8}$/.test(text)) return false;
  const iso = `${text.slice(0, 4)}-${text.slice(4, 6)}-${text.slice(6)}`;
  const date = new Date(`${iso}T00:00:00Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(iso);
}
