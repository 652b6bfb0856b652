/**
 * Vitest global setup of the projects that need PostgreSQL: one server for all files, and in it a
 * database with PostGIS that theirs are cloned from, because creating the extension is slow.
 */
import { randomBytes } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { faultReport } from '@leasehold/kernel';
import { type DatabaseServer, openDatabase } from '@leasehold/servers';
import type { TestProject } from 'vitest/node';
import { createDatabase, dropDatabase, withDatabase } from './databases.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** A database that databases can be created from. */
    databaseUrl: string;
    /** The name of the one that has PostGIS and nothing else. */
    databaseTemplate: string;
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const home = mkdtempSync(join(tmpdir(), 'leasehold-postgres-'));
  // Where tests run as root, the server runs as somebody who must get through here.
  chmodSync(home, 0o711);
  const server = await open(home);
  const template = `leasehold_template_${randomBytes(6).toString('hex')}`;
  const url = await createDatabase(server.databaseUrl, template);
  await withDatabase(url, (client) => client.query('create extension if not exists postgis'));
  project.provide('databaseUrl', server.databaseUrl);
  project.provide('databaseTemplate', template);
  return async () => {
    await dropDatabase(server.databaseUrl, template);
    await server.close();
    rmSync(home, { recursive: true, force: true });
  };
}

async function open(home: string): Promise<DatabaseServer> {
  const log = (line: string): void => void process.stderr.write(`${line}\n`);
  try {
    return await openDatabase({ home, log, purpose: 'test' });
  } catch (error) {
    const { message, remedy } = faultReport(error);
    throw new Error(`${message}. ${remedy}`, { cause: error });
  }
}
