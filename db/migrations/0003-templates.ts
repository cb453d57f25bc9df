import { sql, type Kysely } from 'kysely';

/** Own texts of creditors, versioned like policies, and the version each contact was written with. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}

const statements = [
  // A version without parts is the return to the built-in text.
  `create table template_versions (
    creditor_id text not null references creditors,
    name text not null,
    language text not null check (language in ('fr', 'de', 'en')),
    version int not null check (version > 0),
    subject text,
    lead text,
    close text,
    created_at timestamptz not null,
    created_by text not null,
    primary key (creditor_id, name, language, version),
    check (num_nulls(subject, lead, close) in (0, 3))
  )`,
  // Null: the built-in text.
  `alter table contacts add column template_version int`,
];
