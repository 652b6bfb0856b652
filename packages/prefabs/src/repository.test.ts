import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { commitOf, openRepository, PrefabFollower } from './index.ts';
import { TestRepository } from './repository-fixture.ts';

let home = '';
let repository: TestRepository;
beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), 'leasehold-prefabs-'));
  onTestFinished(() => rmSync(home, { recursive: true, force: true }));
  repository = await TestRepository.create(home);
});

const open = (more: { readonly ref?: string; readonly repository?: string } = {}) =>
  openRepository(
    { repository: '.', folder: 'prefabs', ref: 'HEAD', ...more },
    { home, cache: join(home, 'cache') },
  );

describe('a repository', () => {
  test('is read as it is committed: neither what was changed since nor what lies beside counts', async () => {
    const first = await repository.commit({
      'prefabs/wolf.yaml': 'a: 1',
      'prefabs/README.md': '#',
    });
    const second = await repository.commit({
      'prefabs/wolf.yaml': 'a: 2',
      'prefabs/wild/fox.json': '{}',
      'world.yaml': 'x',
    });
    const opened = await open();
    expect(await opened.commit()).toBe(second);
    expect(await opened.files(first)).toEqual([{ path: 'prefabs/wolf.yaml', text: 'a: 1' }]);
    expect((await opened.files(second)).map(({ path }) => path).sort()).toEqual([
      'prefabs/wild/fox.json',
      'prefabs/wolf.yaml',
    ]);
  });

  test('is found from a folder in it, and asked by branch, tag, and the beginning of a commit', async () => {
    const first = await repository.commit({ 'prefabs/wolf.yaml': 'a: 1' });
    await repository.tag('v1');
    const second = await repository.commit({ 'prefabs/wolf.yaml': undefined, other: '' });
    const opened = await open({ repository: 'cache/..' });
    expect(await opened.commit('main')).toBe(second);
    expect(await opened.commit('v1')).toBe(first);
    expect(await opened.commit(first.slice(0, 8))).toBe(first);
    expect(await opened.files(second)).toEqual([]);
    expect(await commitOf(home)).toBe(second);
  });

  test('that is none, a commit that is none and a way that is none are told', async () => {
    await repository.commit({ a: '' });
    const fault = { code: 'REPOSITORY_UNREADABLE' };
    const outside = mkdtempSync(join(tmpdir(), 'leasehold-none-'));
    onTestFinished(() => rmSync(outside, { recursive: true, force: true }));
    await expect(open({ repository: outside })).rejects.toMatchObject(fault);
    await expect(open({ repository: 'git@host:a/b.git' })).rejects.toMatchObject(fault);
    await expect(open({ repository: 'http://127.0.0.1:1/a.git' })).rejects.toMatchObject(fault);
    const opened = await open();
    await expect(opened.commit('gone')).rejects.toMatchObject(fault);
    await expect(opened.files('0'.repeat(40))).rejects.toMatchObject(fault);
    expect(await commitOf(outside)).toBe('');
  });
});

describe('following', () => {
  test('tells each new commit once, sooner when it is poked, and a fault without ending', async () => {
    mkdirSync(join(home, 'prefabs'));
    const first = await repository.commit({ a: '1' });
    const told: string[] = [];
    const faults: unknown[] = [];
    const end = new AbortController();
    let heard = (): void => undefined;
    const next = (): Promise<void> =>
      new Promise((resolve) => {
        heard = resolve;
      });
    const follower = new PrefabFollower({
      repository: await open(),
      pollMs: 60_000,
      seen: '',
      onCommit: async (commit) => {
        told.push(commit);
        heard();
        if (told.length === 2) throw new Error('not this one');
      },
      onFault: (error) => faults.push(error),
    });
    const firstTold = next();
    const running = follower.run(end.signal);
    await firstTold;
    const second = await repository.commit({ a: '2' });
    const secondTold = next();
    follower.poke();
    await secondTold;
    follower.poke();
    end.abort();
    await running;
    expect(told).toEqual([first, second]);
    expect(faults).toHaveLength(1);
  });
});
