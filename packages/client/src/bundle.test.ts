/** What a page downloads, and what a process is left with. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { eventually } from '@leasehold/testkit';
import { build } from 'esbuild';
import { expect, test, vi } from 'vitest';
import { ScriptedCell, ScriptedGateway } from './gateway-fixture.ts';
import type { View } from './index.ts';

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

/** The programs of the page, bundled; each with `more` at its end. */
async function examples(more: string): Promise<string[]> {
  const page = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
  const texts = [...page.matchAll(/```ts\n([\s\S]*?)```/g)].map((match) => match[1] as string);
  const resolveDir = fileURLToPath(new URL('..', import.meta.url));
  return Promise.all(
    texts.map(async (text) => {
      const { outputFiles } = await build({
        stdin: { contents: `${text}\n${more}`, loader: 'ts', resolveDir },
        bundle: true,
        platform: 'browser',
        format: 'esm',
        write: false,
      });
      return outputFiles[0]?.text ?? '';
    }),
  );
}

test('the examples of its page do what they say', async () => {
  const gateway = await ScriptedGateway.open();
  const [reading = '', drawing = ''] = await examples('export { view };');
  const said: unknown[][] = [];
  const drawn: number[] = [];
  const frames: ((nowMs: number) => void)[] = [];
  vi.stubGlobal('console', { ...console, log: (...words: unknown[]) => said.push(words) });
  vi.stubGlobal('requestAnimationFrame', (call: (nowMs: number) => void) => frames.push(call));
  vi.stubGlobal('place', (id: number) => drawn.push(id));
  for (const [i, program] of [reading, drawing].entries()) {
    const code = program
      .replace(/"ws:\/\/[^"]+"/g, JSON.stringify(gateway.url))
      .replace('["position", "flight"]', '["label", "place"]');
    const { view } = (await import(`data:text/javascript,${encodeURIComponent(code)}`)) as {
      readonly view: View;
    };
    const peer = await gateway.peer(i + 1);
    await peer.welcome();
    await peer.heard('subscribe');
    const cell = new ScriptedCell(0, { 7: { x: 10, y: 10, text: 'seven' } });
    peer.tell(1, 5, cell.state(5));
    peer.tell(1, 6, cell.delta(6, { 7: { x: 11, y: 10, text: 'seven' } }));
    await eventually(() => view.updates > 0);
    if (i === 1) frames.pop()?.(performance.now());
    view.close();
  }
  vi.unstubAllGlobals();
  await gateway.kill();
  expect(said.slice(0, 2)).toEqual([
    ['here', [7]],
    ['all told:', 1],
  ]);
  expect(said[2]).toEqual([expect.objectContaining({ id: 7, tick: 6 })]);
  expect(drawn).toEqual([7]);
});
