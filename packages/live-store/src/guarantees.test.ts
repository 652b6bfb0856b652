/** docs/guarantees.md says what the preflight says, and names proofs that exist. */
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { judged } from './preflight-promises.ts';

const root = new URL('../../../', import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, root), 'utf8');
const page = read('docs/guarantees.md');
const sections = page.split(/^### /m).slice(1);
const headings = sections.map((section) => section.split('\n')[0] as string);
const commands = [...page.matchAll(/`((?:npm|npx) [^`]+)`/g)].map(([, command]) => command ?? '');

describe('the page of guarantees', () => {
  const { promises } = judged({ info: new Map(), settings: new Map() });

  test.each(promises.map(({ promise }) => promise))(
    'has the sentence of the preflight: %s',
    (one) => {
      expect(headings).toContain(one);
    },
  );

  test.each([...'L1 L2 L3 L4 L5 E1 E2 M1 M2 V1 T1 W1'.split(' ')])('has %s', (id) => {
    expect(headings.filter((heading) => heading.startsWith(`${id} `))).toHaveLength(1);
  });

  test.each(sections)(
    'says of each when it holds, what voids it, costs and proves it',
    (section) => {
      for (const word of ['Holds', 'Void', 'A crash costs', 'Proof']) {
        expect(section).toContain(`- **${word}** `);
      }
      expect(section).toMatch(/\*\*Proof\*\* `/);
    },
  );

  test.each(commands)('names a proof that is there: %s', (command) => {
    const [program, ...words] = command.split(' ');
    if (program === 'npm') {
      expect(Object.keys(JSON.parse(read('package.json')).scripts)).toContain(words[1]);
    } else if (words[0] === 'leasehold') {
      expect(read('docs/reference/commands.md')).toContain(`leasehold ${words[1]}`);
      const world = words.find((word) => word.startsWith('examples/'));
      expect(world === undefined || existsSync(new URL(`${world}/world.yaml`, root))).toBe(true);
    } else {
      const path = words.at(-1) ?? '';
      const kinds = ['', '.redis', '.postgres', '.e2e', '.sim'];
      const files = kinds.map((kind) => `${path}${kind}.test.ts`);
      expect(files.some((file) => existsSync(new URL(file, root)))).toBe(true);
    }
  });
});
