/** `leasehold doctor`: what this machine has, and which promises it can keep. */
import { preflight } from '@leasehold/live-store';
import { openServers } from '@leasehold/servers';
import type { Output } from '../output.ts';

export async function doctor(home: string, output: Output): Promise<number> {
  const servers = await openServers({
    home,
    log: (line) => output.progress(line),
    allowEmbedded: true,
  });
  try {
    const report = await preflight(servers.redisUrl);
    const { kind } = servers;
    output.json({ node: process.version, home, redis: { kind, ...report } });
    const { green, yellow } = output.colors;
    output.print(`${green('✓')} Node ${process.version}`);
    output.print(`${green('✓')} Redis ${report.version} at ${report.url} (${kind})`);
    for (const { promise, holds, why } of report.promises) {
      output.print(`${holds ? green('✓') : yellow('!')} ${promise}: ${why}`);
    }
    output.print('docs/guarantees.md says what each means, what a crash costs, and what proves it');
    return 0;
  } finally {
    await servers.close();
  }
}
