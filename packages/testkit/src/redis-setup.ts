/**
 * Vitest global setup of the projects that need Redis: finds a server once for all files, or fails
 * with what to install. With a program at hand each file starts a server of its own; with an
 * address (REDIS_URL, Docker) all files share that server.
 */
import { faultReport } from '@leasehold/kernel';
import { findSource, missing } from '@leasehold/servers';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  interface ProvidedContext {
    redisBinary: string;
    redisUrl: string;
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const reasons: string[] = [];
  const log = (line: string): void => void process.stderr.write(`${line}\n`);
  const source = await findSource({ purpose: 'test', log }, reasons);
  if (source === undefined) {
    const { message, remedy } = faultReport(missing(reasons));
    throw new Error(`${message}. ${remedy}`);
  }
  project.provide('redisBinary', source.kind === 'binary' ? source.binary : '');
  project.provide('redisUrl', source.kind === 'binary' ? '' : source.redisUrl);
  return async () => {
    if (source.kind !== 'binary') await source.close();
  };
}
