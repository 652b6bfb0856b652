/** Preloaded into a gateway (`--expose-gc --import`): on SIGUSR2 it says what it uses by now. */
process.on('SIGUSR2', () => {
  // Twice: what the first frees may be held by what the second does.
  globalThis.gc?.();
  globalThis.gc?.();
  const { rss, heapUsed, external, arrayBuffers } = process.memoryUsage();
  const { user, system } = process.cpuUsage();
  const cpuS = (user + system) / 1e6;
  const used = { type: 'used', rss, heapUsed, external, arrayBuffers, cpuS };
  process.stdout.write(`${JSON.stringify(used)}\n`);
});
