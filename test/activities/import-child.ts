/** Reads one import in a process of its own, for a test that kills it: `import-child.ts DATABASE_URL IMPORT_ID`. */
import { createRunImport } from '../../activities/run-import.ts';
import { createDatabase } from '../../db/database.ts';
import { importDeps } from './import-fixtures.ts';

const [url, importId] = process.argv.slice(2) as [string, string];
const db = createDatabase(url, { max: 2 });
await createRunImport(importDeps(db))({ importId });
await db.destroy();
