import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { hasGit, serveGit } from './git-server-fixture.ts';
import { openRepository } from './index.ts';
import { TestRepository } from './repository-fixture.ts';

test.skipIf(!hasGit())(
  'a repository behind a URL is copied once, and asked for what is new (needs a git program)',
  async () => {
    const home = mkdtempSync(join(tmpdir(), 'leasehold-remote-'));
    onTestFinished(() => rmSync(home, { recursive: true, force: true }));
    mkdirSync(join(home, 'wild'));
    const remote = await TestRepository.create(join(home, 'wild'));
    const first = await remote.commit({ 'prefabs/wolf.yaml': 'a: 1' });
    await remote.tag('v1');
    const server = await serveGit(home);
    onTestFinished(() => server.close());

    const places = { home, cache: join(home, 'cache') };
    const repository = `${server.url}/wild/.git`;
    const open = (ref: string) => openRepository({ repository, folder: 'prefabs', ref }, places);
    const opened = await open('main');
    expect(await opened.commit()).toBe(first);
    const second = await remote.commit({ 'prefabs/wolf.yaml': 'a: 2' });
    expect(await opened.commit()).toBe(first);
    await opened.refresh();
    expect(await opened.commit()).toBe(second);
    expect(await opened.files(second)).toEqual([{ path: 'prefabs/wolf.yaml', text: 'a: 2' }]);

    expect(await (await open('HEAD')).commit()).toBe(second);
    expect(await (await open('v1')).commit()).toBe(first);
    await server.close();
    await expect(opened.refresh()).rejects.toMatchObject({ code: 'REPOSITORY_UNREADABLE' });
    // What was copied is still there to be read.
    expect(await opened.commit(first.slice(0, 9))).toBe(first);
  },
);
