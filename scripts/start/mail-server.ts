import { exitWithParent } from '../stack/exit-with-parent.ts';

// The local mail server as a part of the stack: it ends with it, also when the stack is killed.
exitWithParent();
await import('../mail-server/main.ts');
