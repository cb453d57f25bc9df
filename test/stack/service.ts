import { exitWithParent } from '../../scripts/stack/exit-with-parent.ts';

// A service that does nothing but live, and end with its supervisor.
exitWithParent();
process.stdout.write('service is up\n');
setInterval(() => undefined, 1_000);
