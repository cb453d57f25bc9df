import { migrateToLatest } from '../db/migrate.ts';

/** Brings the database that DATABASE_URL names to the newest schema: the one-shot of docker-compose and of deployments. */
const url = process.env['DATABASE_URL'];
if (!url) {
  console.error('Set DATABASE_URL to the database to migrate.');
  process.exitCode = 2;
} else {
  try {
    const ran = await migrateToLatest(url);
    console.log(ran.length === 0 ? 'The schema is up to date.' : `Migrated: ${ran.join(', ')}.`);
  } catch (error) {
    console.error(`The migration failed: ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = 1;
  }
}
