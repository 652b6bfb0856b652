import { expect, test } from 'vitest';
import { eventually, useChromium } from './index.ts';

const at = useChromium();

test('a page of its own draws with WebGL and sees no other page', async () => {
  const page = await at.browser.newPage();
  await page.setContent('<h1>hello</h1>');
  expect(await page.textContent('h1')).toBe('hello');
  expect(
    await page.evaluate("document.createElement('canvas').getContext('webgl2') !== null"),
  ).toBe(true);
  await page.close();
  await eventually(() => at.browser.contexts().length === 0);
});
