/** The command `leasehold`: wiring and nothing else. */
import { useCompileCache } from './compile-cache.ts';

// Started through an older Node, which is gone now. Pods and auditor see their input end, and
// leave.
process.on('disconnect', () => process.exit(130));
process.channel?.unref();
// Whoever read the output has gone, as `| head` or a closed terminal does: the run ends in order.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);

useCompileCache();
const { main } = await import('./program.ts');
const code = await main(process.argv.slice(2), process.env);
// Once everything is written, and not when the last handle has closed: Node closes them in a loop
// that never ends when a socket was reset while it was still connecting.
process.stdout.write('', () => process.stderr.write('', () => process.exit(code)));
