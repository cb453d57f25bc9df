import { closeSync, existsSync, fsyncSync, openSync, readFileSync } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * An append-only file of JSON lines. What `append` has resolved for is on disk: a SIGKILL or a power cut afterwards
 * loses nothing. A line torn by a kill in mid-write was never acknowledged, so replay cuts it off.
 */
export class Journal<Entry> {
  readonly #file: FileHandle;
  /** Bytes up to the end of the last line that is known to be whole. */
  #length: number;
  #waiting: { lines: string; settle: (error: Error | null) => void }[] = [];
  #writing: Promise<void> | null = null;

  private constructor(file: FileHandle, length: number) {
    this.#file = file;
    this.#length = length;
  }

  /** Opens or creates the journal and hands each whole entry to `replay`, oldest first. */
  static async open<Entry>(path: string, replay: (entry: Entry) => void): Promise<Journal<Entry>> {
    const length = existsSync(path) ? replayLines(path, (entry) => replay(entry as Entry)) : 0;
    const file = await open(path, 'a', 0o600);
    await file.truncate(length);
    syncFolder(dirname(path));
    return new Journal<Entry>(file, length);
  }

  /** Writes the entries together, in order, and resolves once they are synced. Whoever waits at the same time shares one sync. */
  append(...entries: Entry[]): Promise<void> {
    const lines = entries.map((entry) => `${JSON.stringify(entry)}\n`).join('');
    return new Promise((resolve, reject) => {
      this.#waiting.push({ lines, settle: (error) => (error === null ? resolve() : reject(error)) });
      this.#writing ??= this.#drain();
    });
  }

  async close(): Promise<void> {
    while (this.#writing) await this.#writing;
    await this.#file.close();
  }

  async #drain(): Promise<void> {
    while (this.#waiting.length > 0) {
      const group = this.#waiting.splice(0);
      let failure: Error | null = null;
      try {
        const bytes = Buffer.from(group.map((one) => one.lines).join(''), 'utf8');
        await this.#file.appendFile(bytes);
        await this.#file.datasync();
        this.#length += bytes.length;
      } catch (error) {
        failure = error instanceof Error ? error : new Error(String(error));
        // A full disk may have taken half a line: cut it off, or the next line would be glued to it.
        await this.#file.truncate(this.#length).catch(() => undefined);
      }
      for (const one of group) one.settle(failure);
    }
    // In the same breath as the last look at the queue, so that nobody joins a writer that is leaving.
    this.#writing = null;
  }
}

function replayLines(path: string, replay: (entry: unknown) => void): number {
  const bytes = readFileSync(path);
  let start = 0;
  let line = 0;
  for (let end = bytes.indexOf(10); end !== -1; end = bytes.indexOf(10, start)) {
    line += 1;
    replay(parseLine(bytes.subarray(start, end).toString('utf8'), path, line));
    start = end + 1;
  }
  return start;
}

function parseLine(text: string, path: string, line: number): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new Error(
      `The mail journal ${path} is damaged at line ${line}; move it away to start with an empty mailbox.`,
    );
  }
}

/** Makes a newly created name in the folder survive a power cut; where folders cannot be synced, nothing is lost by a mere kill. */
function syncFolder(folder: string): void {
  let handle: number | undefined;
  try {
    handle = openSync(folder, 'r');
    fsyncSync(handle);
  } catch {
    // Some file systems refuse to sync a folder.
  } finally {
    if (handle !== undefined) closeSync(handle);
  }
}
