/**
 * The git repository that prefabs come from, read without a work tree: what counts is what is
 * committed. A repository on this machine is read where it is and never written; one behind an
 * http(s) URL is kept as a copy.
 */
import fs from 'node:fs';
import { join, resolve } from 'node:path';
import { hashOf, LeaseholdError } from '@leasehold/kernel';
import { underLock } from '@leasehold/process-lock';
import git from 'isomorphic-git';
import http from 'isomorphic-git/http/node';
import { isPrefabFile, type PrefabFile } from './parse.ts';

/** So many templates are a data set, and belong into the seed of the world. */
const FILES_MAX = 1_000;
const FILE_BYTES_MAX = 256 * 1024;
/** A server that is silent for longer is asked again at the next poll. */
const FETCH_MS_MAX = 60_000;

export type PrefabSource = {
  /** A path, from `home`, of a repository or of anything in it; or its http(s) URL. */
  readonly repository: string;
  /** Of the prefabs, from the root of the repository. */
  readonly folder: string;
  /** A branch, a tag or a commit. */
  readonly ref: string;
};

export type RepositoryPlaces = {
  /** The world's folder. */
  readonly home: string;
  /** Where copies of remote repositories are kept. */
  readonly cache: string;
};

export interface PrefabRepository {
  readonly source: PrefabSource;
  /** Asks the remote for what is new; nothing to do for a repository on this machine. */
  refresh(): Promise<void>;
  /** The full commit of a ref; without one, of the source's. */
  commit(ref?: string): Promise<string>;
  /** The files of prefabs as they are in a commit; none when the folder is not in it. */
  files(commit: string): Promise<PrefabFile[]>;
}

/** Errors: `REPOSITORY_UNREADABLE`, here and of every call. */
export async function openRepository(
  source: PrefabSource,
  { home, cache }: RepositoryPlaces,
): Promise<PrefabRepository> {
  const { repository } = source;
  if (/^https?:\/\//.test(repository)) {
    const dir = join(cache, hashOf(new TextEncoder().encode(repository)));
    // What is told and kept of it has no password.
    const told = { ...source, repository: withoutSecret(repository) };
    const copy = new GitFolder(told, dir, repository);
    await copy.refresh();
    return copy;
  }
  if (/^[\w.-]+@|^\w+:\/\//.test(repository)) {
    const remedy = 'Clone it yourself and name the folder, or use its http(s) URL.';
    throw unreadable(repository, 'is neither a folder nor an http(s) URL', remedy);
  }
  const path = resolve(home, repository);
  const dir = await git.findRoot({ fs, filepath: path }).catch((cause: unknown) => {
    const remedy = 'Name a folder in a git repository: git init, git add, git commit.';
    throw unreadable(path, 'is in no git repository', remedy, cause);
  });
  return new GitFolder(source, dir, undefined);
}

/** The commit that a folder's repository is at; '' when it is in none, or has none yet. */
export async function commitOf(folder: string): Promise<string> {
  try {
    const dir = await git.findRoot({ fs, filepath: folder });
    return await git.resolveRef({ fs, dir, ref: 'HEAD' });
  } catch {
    return '';
  }
}

class GitFolder implements PrefabRepository {
  readonly source: PrefabSource;
  readonly #dir: string;
  /** Undefined: it is no copy. */
  readonly #url: string | undefined;

  constructor(source: PrefabSource, dir: string, url: string | undefined) {
    this.source = source;
    this.#dir = dir;
    this.#url = url;
  }

  async refresh(): Promise<void> {
    const url = this.#url;
    if (url === undefined) return;
    fs.mkdirSync(this.#dir, { recursive: true });
    const taken = (pid: string): LeaseholdError => {
      const remedy = `Wait for process ${pid}, or end it.`;
      return unreadable(withoutSecret(url), `is being read by process ${pid}`, remedy);
    };
    const limits = { waitMs: FETCH_MS_MAX, taken };
    await underLock(`${this.#dir}.lock`, () => this.#fetch(url), limits);
  }

  async #fetch(url: string): Promise<void> {
    const place = { fs, http, dir: this.#dir };
    const isThere = fs.existsSync(join(this.#dir, '.git', 'config'));
    const asked = isThere
      ? git.fetch({ ...place, remote: 'origin', tags: true, prune: true })
      : git.clone({ ...place, url, noCheckout: true });
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      const silent = new Error(`no answer within ${FETCH_MS_MAX / 1_000} s`);
      timer = setTimeout(() => reject(silent), FETCH_MS_MAX);
    });
    try {
      await Promise.race([asked, late]);
    } catch (cause) {
      const remedy = 'Look whether git can clone it from this machine, and try again.';
      throw unreadable(withoutSecret(url), textOf(cause), remedy, cause);
    } finally {
      clearTimeout(timer);
    }
  }

  async commit(ref = this.source.ref): Promise<string> {
    // Of a copy, its own branches are those of the day it was made.
    const isCopy = this.#url !== undefined;
    const names = isCopy ? [`refs/remotes/origin/${ref}`, `refs/tags/${ref}`] : [ref];
    for (const name of names) {
      const oid = await git.resolveRef({ fs, dir: this.#dir, ref: name }).catch(() => undefined);
      const commit = oid === undefined ? undefined : await this.#peeled(oid);
      if (commit !== undefined) return commit;
    }
    const isShort = /^[0-9a-f]{4,40}$/.test(ref);
    const oid = isShort
      ? await git.expandOid({ fs, dir: this.#dir, oid: ref }).catch(() => undefined)
      : undefined;
    const commit = oid === undefined ? undefined : await this.#peeled(oid);
    if (commit !== undefined) return commit;
    const remedy = 'Name a branch, a tag or a commit that the repository has.';
    throw unreadable(ref, 'is no commit of the repository', remedy);
  }

  async files(commit: string): Promise<PrefabFile[]> {
    const found: { readonly path: string; readonly oid: string }[] = [];
    const folders = [this.source.folder.replace(/^\.?\/|\/$/g, '').replace(/^\.$/, '')];
    for (let at = folders.pop(); at !== undefined; at = folders.pop()) {
      for (const { path, type, oid } of await this.#entries(commit, at)) {
        const full = at === '' ? path : `${at}/${path}`;
        if (type === 'tree') folders.push(full);
        if (type === 'blob' && isPrefabFile(path)) found.push({ path: full, oid });
      }
    }
    if (found.length > FILES_MAX) {
      const remedy = `Keep at most ${FILES_MAX} files in ${this.source.folder}.`;
      throw tooMuch(`${found.length} files`, remedy);
    }
    return Promise.all(found.map(({ path, oid }) => this.#file(path, oid)));
  }

  async #entries(commit: string, folder: string) {
    const filepath = folder === '' ? {} : { filepath: folder };
    try {
      const { tree } = await git.readTree({ fs, dir: this.#dir, oid: commit, ...filepath });
      return tree;
    } catch (cause) {
      if (hasGitCode(cause, 'NotFoundError') && (await this.#has(commit))) return [];
      const remedy = 'Look at the repository with git fsck, or name another commit.';
      throw unreadable(commit, textOf(cause), remedy, cause);
    }
  }

  async #file(path: string, oid: string): Promise<PrefabFile> {
    const { blob } = await git.readBlob({ fs, dir: this.#dir, oid });
    if (blob.length <= FILE_BYTES_MAX) return { path, text: new TextDecoder().decode(blob) };
    throw tooMuch(`${path}: ${blob.length} bytes`, `Keep a prefab below ${FILE_BYTES_MAX} bytes.`);
  }

  /** The commit that an object is or, a tag, points to. */
  async #peeled(oid: string): Promise<string | undefined> {
    const read = await git.readCommit({ fs, dir: this.#dir, oid }).catch(() => undefined);
    return read?.oid;
  }

  async #has(commit: string): Promise<boolean> {
    return (await this.#peeled(commit)) !== undefined;
  }
}

const hasGitCode = (error: unknown, code: string): boolean =>
  error instanceof Error && 'code' in error && error.code === code;

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

function withoutSecret(url: string): string {
  const read = new URL(url);
  read.username = '';
  read.password = '';
  return read.href;
}

function unreadable(
  value: string,
  problem: string,
  remedy: string,
  cause?: unknown,
): LeaseholdError {
  const detail = { field: 'prefabs.repository', value, remedy };
  return new LeaseholdError('REPOSITORY_UNREADABLE', `${value} ${problem}`, detail, { cause });
}

function tooMuch(value: string, remedy: string): LeaseholdError {
  const detail = { field: 'prefabs.folder', value, remedy };
  return new LeaseholdError(
    'LIMIT_EXCEEDED',
    `the prefabs are too many or too big: ${value}`,
    detail,
  );
}
