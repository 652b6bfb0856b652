/**
 * Runs the fenced blocks of a page as they stand, in one folder: files are written, `sh` is run, and
 * each line of a `text` block must be in the output of the commands above it, where … stands for
 * anything.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

type Block = { readonly language: string; readonly text: string };

function blocksOf(page: string): Block[] {
  return [...page.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].map(([, language, text]) => ({
    language: language as string,
    text: text as string,
  }));
}

const fileOf = (text: string): string | undefined => /^(?:#|\/\/) ([\w.-]+\.\w+)\n/.exec(text)?.[1];

function patternOf(line: string): RegExp {
  const parts = line
    .trim()
    .split('…')
    .map((part) => part.trim());
  return new RegExp(parts.map((part) => part.replace(/[^\w\s]/g, '\\$&')).join('[^\\n]*'));
}

export class PageShell {
  readonly home: string;
  readonly #env: NodeJS.ProcessEnv;
  readonly #shells: ChildProcess[] = [];

  /** The repository is `leasehold` in its home, and its examples are `examples`. */
  constructor(redisUrl: string) {
    this.home = mkdtempSync(join(tmpdir(), 'leasehold-page-'));
    symlinkSync(ROOT, join(this.home, 'leasehold'));
    symlinkSync(join(ROOT, 'examples'), join(this.home, 'examples'));
    const {
      REDIS_URL: _,
      DATABASE_URL: _____,
      LEASEHOLD_HOME: __,
      NODE_OPTIONS: ___,
      NODE_TEST_CONTEXT: ____,
      ...env
    } = process.env;
    const path = `${join(ROOT, 'node_modules', '.bin')}:${env['PATH']}`;
    this.#env = { ...env, PATH: path, HOME: this.home, REDIS_URL: redisUrl };
  }

  /** Runs a page of the repository; its files go to `folder`. Answers how many blocks it has. */
  async run(page: string, folder = '.'): Promise<number> {
    const blocks = blocksOf(readFileSync(join(ROOT, page), 'utf8'));
    let output = '';
    for (const { language, text } of blocks) {
      if (language === 'sh') output = await this.#said(text);
      else if (language === 'text') {
        for (const line of text.trim().split('\n')) expect(output).toMatch(patternOf(line));
      } else {
        const file = fileOf(text);
        expect(file, `a block of ${language} without a file name`).toBeDefined();
        writeFileSync(join(this.home, folder, file as string), text);
      }
    }
    return blocks.length;
  }

  close(): void {
    // The whole groups: a command that was still running, be it in the background, must not outlive
    // its test.
    for (const { pid } of this.#shells) if (pid !== undefined) killGroup(pid);
    rmSync(this.home, { recursive: true, force: true });
  }

  /** Runs commands and gives all they said; `state` carries folder and variables to the next. */
  async #said(commands: string): Promise<string> {
    const state = join(this.home, 'state');
    const script = `set -e; [ -f ${state} ] && . ${state}\n${commands}\n{ export -p; echo "cd '$PWD'"; } > ${state}`;
    const shell = spawn('bash', ['-c', script], {
      cwd: this.home,
      env: this.#env,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    this.#shells.push(shell);
    let output = '';
    for (const stream of [shell.stdout, shell.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text;
      });
    }
    const code = await new Promise((resolve) => shell.on('close', resolve));
    expect(code, `${commands}\n${output}`).toBe(0);
    return output;
  }
}

/** Mostly there is nobody left in it. */
function killGroup(leader: number): void {
  try {
    process.kill(-leader, 'SIGKILL');
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}
