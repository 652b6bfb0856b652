/**
 * Goal: whoever follows docs/start.md gets what it shows. Method: its fenced blocks are run in order
 * as they stand, in one folder: files are written, `sh` is run, and each line of a `text` block must
 * be in the output of the commands above it, where … stands for anything.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { useRedis } from '@leasehold/testkit';
import { afterEach, beforeEach, expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const BLOCKS_MIN = 10;
const PAGE_MS_MAX = 300_000;

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

const at = useRedis();
let home = '';
let shell: ChildProcess | undefined;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'leasehold-start-'));
  symlinkSync(ROOT, join(home, 'leasehold'));
});

afterEach(() => {
  // The whole group: a command that was still running must not outlive its test.
  if (shell?.pid !== undefined && shell.exitCode === null) process.kill(-shell.pid, 'SIGKILL');
  rmSync(home, { recursive: true, force: true });
});

/** Runs commands and gives all they said; `state` carries folder and variables to the next. */
async function said(commands: string): Promise<string> {
  const state = join(home, 'state');
  const script = `set -e; [ -f ${state} ] && . ${state}\n${commands}\n{ export -p; echo "cd '$PWD'"; } > ${state}`;
  const {
    REDIS_URL: _,
    LEASEHOLD_HOME: __,
    NODE_OPTIONS: ___,
    NODE_TEST_CONTEXT: ____,
    ...env
  } = process.env;
  shell = spawn('bash', ['-c', script], {
    cwd: home,
    env: { ...env, HOME: home, REDIS_URL: at.url },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  let output = '';
  for (const stream of [shell.stdout, shell.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  const code = await new Promise((resolve) => shell?.on('close', resolve));
  expect(code, `${commands}\n${output}`).toBe(0);
  return output;
}

test(
  'every file and command of the first page works as it stands',
  async () => {
    const blocks = blocksOf(readFileSync(join(ROOT, 'docs/start.md'), 'utf8'));
    expect(blocks.length).toBeGreaterThan(BLOCKS_MIN);
    let output = '';
    for (const { language, text } of blocks) {
      if (language === 'sh') output = await said(text);
      else if (language === 'text') {
        for (const line of text.trim().split('\n')) expect(output).toMatch(patternOf(line));
      } else {
        const file = fileOf(text);
        expect(file, `a block of ${language} without a file name`).toBeDefined();
        writeFileSync(join(home, 'fireflies', file as string), text);
      }
    }
  },
  PAGE_MS_MAX,
);
