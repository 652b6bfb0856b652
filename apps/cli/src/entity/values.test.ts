import { describe, expect, test } from 'vitest';
import { changesOf, componentsOf, idOf, payloadOf, termOf } from './values.ts';

const refused = (field: string) =>
  expect.objectContaining({
    code: 'SETTING_INVALID',
    detail: expect.objectContaining({ field, remedy: expect.stringMatching(/\w/) }),
  });

describe('values as they are typed', () => {
  test('a component has the fields that are given, and initial ones where none are', () => {
    expect(componentsOf(['position={"x":1,"y":2}', 'got', 'lamp={"name":"a=b"}'])).toEqual({
      position: { x: 1, y: 2 },
      got: {},
      lamp: { name: 'a=b' },
    });
  });

  test.each(['position=3', 'position=', 'position={', '={"x":1}', 'a b={}', 'position=[1]'])(
    'component %s is refused',
    (text) => {
      expect(() => componentsOf([text])).toThrow(refused('--component'));
    },
  );

  test('a change is of one field or of several; what is no JSON is text', () => {
    const texts = ['position.x=3', 'lamp.name=old', 'lamp.note="3"', 'lamp={"isLit":true}'];
    expect(changesOf([...texts, 'book.ids=[1,2]', 'lamp.word=a=b', 'got={}'])).toEqual({
      position: { x: 3 },
      lamp: { name: 'old', note: '3', isLit: true, word: 'a=b' },
      book: { ids: [1, 2] },
      got: {},
    });
  });

  test.each(['position', 'position.=3', '.x=3', 'position=3', 'a b.x=1'])(
    'change %s is refused',
    (text) => {
      expect(() => changesOf([text])).toThrow(refused('--set'));
    },
  );

  test.each([
    ['purse.coins > 3', 'purse.coins,gt,3'],
    ['purse.coins>=3', 'purse.coins,ge,3'],
    ['purse.coins = 3', 'purse.coins,eq,3'],
    ['purse.coins==3', 'purse.coins,eq,3'],
    ['a.b != -1.5e3', 'a.b,ne,-1.5e3'],
    ['a.b < 3', 'a.b,lt,3'],
    ['a.b <= 3', 'a.b,le,3'],
    ['lamp.name = old lamp', 'lamp.name,eq,old lamp'],
    ['lamp.name = " a > b "', 'lamp.name,eq, a > b '],
    ['lamp.name,eq,=', 'lamp.name,eq,='],
  ])('term %s is %s for the API', (text, term) => {
    expect(termOf(text)).toBe(term);
  });

  test.each(['purse', 'purse.coins', 'purse.coins >', '> 3', 'coins > 3', 'a.b ~ 3'])(
    'term %s is refused',
    (text) => {
      expect(() => termOf(text)).toThrow(refused('--where'));
    },
  );

  test('an id is a whole number that JSON can hold', () => {
    expect(idOf('4503599627370497')).toBe(4_503_599_627_370_497);
    for (const text of ['0', '-1', '1.5', 'one', '', '9007199254740993', '1e3']) {
      expect(() => idOf(text), text).toThrow(refused('ID'));
    }
  });

  test('a payload is a JSON object', () => {
    expect(payloadOf('{"n":1}')).toEqual({ n: 1 });
    for (const text of ['1', '[]', 'null', '{n:1}', '']) {
      expect(() => payloadOf(text), text).toThrow(refused('--payload'));
    }
  });
});
