import { sql } from 'kysely';
import type { KnownTemplate, Language, TemplateParts } from '../../domain/policy/templates.ts';
import type { Instant } from '../../domain/time/zones.ts';
import type { Act } from '../act.ts';
import { instant, type Db, type Tx } from '../database.ts';

/** A version of a creditor's text. */
export interface StoredTemplate {
  name: string;
  language: Language;
  version: number;
  /** Null: with this version the creditor went back to the built-in text. */
  parts: TemplateParts | null;
  createdAt: Instant;
  createdBy: string;
}

/**
 * Stores a text as the next version of its name and language, or says with `null` that the built-in one is used again.
 * What is current already makes no new version. Versions are never changed. Answers what is current; undefined where the
 * built-in text was never left.
 */
export async function putTemplate(
  tx: Tx,
  act: Act,
  creditorId: string,
  name: KnownTemplate,
  language: Language,
  parts: TemplateParts | null,
): Promise<StoredTemplate | undefined> {
  // Two writers of one text take turns, so that each gets a version of its own.
  const lock = `template:${creditorId}:${name}:${language}`;
  await sql`select pg_advisory_xact_lock(hashtextextended(${lock}, 0))`.execute(tx);
  const current = await findTemplate(tx, creditorId, name, language);
  if (isSame(current?.parts ?? null, parts)) return current;
  const version = (current?.version ?? 0) + 1;
  await tx
    .insertInto('template_versions')
    .values({
      creditor_id: creditorId,
      name,
      language,
      version,
      ...(parts ?? { subject: null, lead: null, close: null }),
      created_at: instant(act.at),
      created_by: act.actor,
    })
    .execute();
  return { name, language, version, parts, createdAt: act.at, createdBy: act.actor };
}

/** A version of a text, the newest when none is named; undefined where the creditor never had one of its own. */
export async function findTemplate(
  db: Db | Tx,
  creditorId: string,
  name: string,
  language: Language,
  version: number | null = null,
): Promise<StoredTemplate | undefined> {
  const row = await db
    .selectFrom('template_versions')
    .selectAll()
    .where('creditor_id', '=', creditorId)
    .where('name', '=', name)
    .where('language', '=', language)
    .$if(version !== null, (query) => query.where('version', '=', version))
    .orderBy('version', 'desc')
    .limit(1)
    .executeTakeFirst();
  return row && stored(row);
}

/** The newest version of each text that a creditor ever changed. */
export async function newestTemplates(db: Db | Tx, creditorId: string): Promise<StoredTemplate[]> {
  const rows = await db
    .selectFrom('template_versions')
    .distinctOn(['name', 'language'])
    .selectAll()
    .where('creditor_id', '=', creditorId)
    .orderBy('name')
    .orderBy('language')
    .orderBy('version', 'desc')
    .execute();
  return rows.map(stored);
}

const isSame = (a: TemplateParts | null, b: TemplateParts | null): boolean =>
  a === null || b === null ? a === b : a.subject === b.subject && a.lead === b.lead && a.close === b.close;

interface Row {
  name: string;
  language: Language;
  version: number;
  subject: string | null;
  lead: string | null;
  close: string | null;
  created_at: number;
  created_by: string;
}

const stored = ({ subject, lead, close, ...row }: Row): StoredTemplate => ({
  name: row.name,
  language: row.language,
  version: row.version,
  parts: subject === null || lead === null || close === null ? null : { subject, lead, close },
  createdAt: row.created_at,
  createdBy: row.created_by,
});
