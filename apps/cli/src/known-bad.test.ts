import { librarySource } from '@leasehold/live-store';
import { expect, test } from 'vitest';
import { brokenLibraryName, brokenLibrarySource } from './known-bad.ts';
import { BREAKS } from './options.ts';

test.each(BREAKS)(
  'the known-bad build %s differs from the product, under another name',
  (broken) => {
    const source = brokenLibrarySource(broken);
    const name = brokenLibraryName(broken);
    expect(source).toContain(name);
    expect(source).not.toBe(librarySource(name));
  },
);

test.each(BREAKS)('the known-bad build %s fails loudly when its place is gone', (broken) => {
  expect(() => brokenLibrarySource(broken, 'nothing to break')).toThrow(
    expect.objectContaining({ code: 'SETTING_INVALID' }),
  );
});
