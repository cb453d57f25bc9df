/** Reads one file in a process of its own and prints how much memory that took at most, in MB: `child.ts ours|dom FILE`. */
import { memoryOf } from '../support/memory.ts';
import { READERS } from './readers.ts';

const [reader, path] = process.argv.slice(2) as [keyof typeof READERS, string];
await READERS[reader](path);
const { now, peak } = memoryOf(process.pid);
process.stdout.write(String(peak ?? now));
