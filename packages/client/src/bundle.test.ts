/** What a page downloads, and what a process is left with. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { expect, test } from 'vitest';

const INDEX = fileURLToPath(new URL('index.ts', import.meta.url));
const GZIP_BYTES_MAX = 20_000;

test('for a browser it is below 20 kB, and needs nothing of Node', async () => {
  const { outputFiles } = await build({
    entryPoints: [INDEX],
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    write: false,
  });
  const bytes = outputFiles[0]?.contents ?? new Uint8Array(GZIP_BYTES_MAX);
  expect(gzipSync(bytes).length).toBeLessThan(GZIP_BYTES_MAX);
});

test('a closed view keeps no process alive', async () => {
  const program = `
    import { connect } from ${JSON.stringify(INDEX)};
    const view = connect({ url: 'ws://127.0.0.1:9/view' });
    const subscription = view.subscribe({ area: { kind: 'world' } });
    view.on('close', () => { subscription.setArea({ kind: 'world' }); view.close(); });
  `;
  const args = ['--input-type=module', '--eval', program];
  const { stderr } = await promisify(execFile)(process.execPath, args, { timeout: 15_000 });
  expect(stderr).toBe('');
});

test('the examples of its page are programs that the compiler would take', async () => {
  const page = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
  const examples = [...page.matchAll(/```ts\n([\s\S]*?)```/g)].map((match) => match[1] as string);
  expect(examples.length).toBeGreaterThan(0);
  for (const contents of examples) {
    await build({
      stdin: { contents, loader: 'ts', resolveDir: fileURLToPath(new URL('..', import.meta.url)) },
      bundle: true,
      platform: 'browser',
      format: 'esm',
      write: false,
      logLevel: 'silent',
    });
  }
});
