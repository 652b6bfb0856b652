/** A git repository of a test's own, made without a git program. */
import fs from 'node:fs';
import { dirname, join } from 'node:path';
import git from 'isomorphic-git';

const AUTHOR = { name: 'A Test', email: 'test@example.org' };

export class TestRepository {
  readonly dir: string;

  private constructor(dir: string) {
    this.dir = dir;
  }

  static async create(dir: string): Promise<TestRepository> {
    await git.init({ fs, dir, defaultBranch: 'main' });
    return new TestRepository(dir);
  }

  /** Writes the files, removes those that are undefined, commits, and answers the commit. */
  async commit(files: Readonly<Record<string, string | undefined>>): Promise<string> {
    for (const [filepath, text] of Object.entries(files)) {
      const path = join(this.dir, filepath);
      if (text === undefined) {
        await git.remove({ fs, dir: this.dir, filepath });
        fs.rmSync(path);
        continue;
      }
      fs.mkdirSync(dirname(path), { recursive: true });
      fs.writeFileSync(path, text);
      await git.add({ fs, dir: this.dir, filepath });
    }
    return git.commit({ fs, dir: this.dir, message: 'a change', author: AUTHOR });
  }

  async tag(ref: string): Promise<void> {
    await git.annotatedTag({ fs, dir: this.dir, ref, message: ref, tagger: AUTHOR });
  }
}
