import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Ready } from '../start/ready-file.ts';
import { CliError, NotNow } from './errors.ts';

/** Where the API is and which keys there are. */
export interface Connection {
  url: string;
  /** A creditor's key, or with `RELANCE_API_KEY` whichever was given. */
  apiKey: string;
  adminKey: string;
  /** Null where only URL and key are known. */
  ready: Ready | null;
}

/**
 * Finds the stack: the data folder that was named, else `RELANCE_URL` with `RELANCE_API_KEY`, else the data folder
 * `.relance`. A folder is read anew each time, since a stack that starts again may answer elsewhere. Throws `NotNow` while the
 * folder has no running stack.
 */
export function findConnection(
  dataDir: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
): Connection {
  const url = env['RELANCE_URL'];
  if (dataDir === undefined && url !== undefined && url !== '') return givenConnection(url, env['RELANCE_API_KEY']);
  const ready = readReady(dataDir ?? '.relance');
  return { url: ready.apiUrl.replace(/\/+$/, ''), apiKey: ready.apiKey, adminKey: ready.adminKey, ready };
}

function givenConnection(url: string, key: string | undefined): Connection {
  if (!/^https?:\/\//.test(url) || !URL.canParse(url)) {
    throw new CliError('RELANCE_URL is not an address such as http://localhost:3000.', 2);
  }
  if (key === undefined || key === '')
    throw new CliError('RELANCE_URL is set: set RELANCE_API_KEY to a key of that API.', 2);
  return { url: url.replace(/\/+$/, ''), apiKey: key, adminKey: key, ready: null };
}

function readReady(dataDir: string): Ready {
  const file = join(dataDir, 'ready.json');
  let ready: Partial<Ready>;
  try {
    ready = JSON.parse(readFileSync(file, 'utf8')) as Partial<Ready>;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'EACCES' || code === 'EPERM') {
      throw new CliError(`${file} belongs to another user: run this as the one who started Relance.`);
    }
    if (code === undefined) throw new CliError(`${file} is not the file of a running stack.`);
    throw new NotNow(
      `Nothing runs in ${dataDir}: start it with "npm start", name its folder with --data DIR, or set RELANCE_URL and RELANCE_API_KEY.`,
    );
  }
  if (typeof ready.apiUrl !== 'string' || typeof ready.apiKey !== 'string' || typeof ready.adminKey !== 'string') {
    throw new CliError(`${file} is not the file of a running stack.`);
  }
  return ready as Ready;
}
