/** The command `leasehold`: wiring and nothing else. */
import { main } from './program.ts';

// Started through an older Node, which is gone now. Pods and auditor see their input end, and leave.
process.on('disconnect', () => process.exit(130));
process.channel?.unref();
// Whoever read the output has gone, as `| head` does.
process.stdout.on('error', () => process.exit(1));

process.exitCode = await main(process.argv.slice(2), process.env);
