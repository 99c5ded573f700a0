import assert from 'node:assert/strict';
import fc from 'fast-check';
import { fromExternalImageId, keyOf, toExternalImageId } from '../../nodes/rekognition/names';

/** Any text that can be written: letters of all scripts, and what a writing itself consists of. */
const names = fc.oneof(
  fc.string({ unit: 'grapheme', minLength: 1 }),
  fc.string({ unit: 'binary', minLength: 1 }),
  fc
    .array(fc.constantFrom(':', ':2', ':20', ':C3', 'A', 'a', '\ufffd', '\ufeff', '%', 'é'), { minLength: 1 })
    .map((parts) => parts.join(''))
);

describe('the name of a person', () => {
  for (const [name, id] of [
    ['Ada', 'Ada'],
    ['Ada Lovelace', 'Ada:20Lovelace'],
    ['Zoë Müller', 'Zo:C3:AB:20M:C3:BCller'],
    ['山田', ':E5:B1:B1:E7:94:B0'],
    ['أمينة', ':D8:A3:D9:85:D9:8A:D9:86:D8:A9'],
    ['😀', ':F0:9F:98:80'],
    ['user:42', 'user:3A42'],
    ['a.b-c_d', 'a.b-c_d'],
    ['a\0b\n', 'a:00b:0A'],
    ['   ', ':20:20:20']
  ] as const) {
    it(`${JSON.stringify(name)} is written as ${id}, and read again`, () => {
      assert.equal(toExternalImageId(name), id);
      assert.equal(fromExternalImageId(id), name);
    });
  }

  it('is read as it was given, whatever is in it, and its writing is one that the service takes', () => {
    fc.assert(
      fc.property(names, (name) => {
        assert.match(toExternalImageId(name), /^[a-zA-Z0-9_.\-:]+$/);
        assert.equal(fromExternalImageId(toExternalImageId(name)), name);
      }),
      { numRuns: 2000 }
    );
  });

  it('is another one for each other name', () => {
    fc.assert(
      fc.property(names, names, (one, other) =>
        assert.equal(toExternalImageId(one) === toExternalImageId(other), one === other)
      )
    );
  });

  for (const id of [
    'user:42',
    'a:b',
    'a:',
    ':',
    ':2',
    ':c3:a9',
    ':C3',
    ':C3A9',
    ':FF',
    ':41',
    ':ED:A0:80',
    'x:20y:41',
    'é'
  ]) {
    it(`that was made elsewhere, ${id}, is a name as it stands`, () => assert.equal(fromExternalImageId(id), id));
  }

  it('is an id as it stands unless that is exactly the writing of a name', () => {
    const ids = fc.string({ unit: fc.constantFrom(...':::ABCDEF0123456789az_.-'), minLength: 1 });
    fc.assert(
      fc.property(ids, (id) => {
        const name = fromExternalImageId(id);
        assert.ok(name === id || toExternalImageId(name) === id);
        if (toExternalImageId(id) === id) assert.equal(name, id);
      }),
      { numRuns: 5000 }
    );
  });

  it('is the same in capitals, in small letters, and with its accents apart', () => {
    fc.assert(
      fc.property(names, (name) => {
        for (const other of [name.toUpperCase(), name.toLowerCase(), name.normalize('NFC'), name.normalize('NFD')]) {
          assert.equal(keyOf(other), keyOf(name));
        }
      }),
      { numRuns: 5000 }
    );
  });

  it('is the same in capitals and in small letters for each character there is', () => {
    for (let code = 0; code <= 0x10ffff; code += 1) {
      if (code >= 0xd800 && code <= 0xdfff) continue;
      const character = String.fromCodePoint(code);
      for (const other of [character.toUpperCase(), character.toLowerCase(), character.normalize('NFD')]) {
        if (keyOf(other) !== keyOf(character)) assert.fail(`U+${code.toString(16)}`);
      }
    }
  });

  it('is not that of somebody else', () => {
    for (const [one, other] of [
      ['Ada', 'Adá'],
      ['Zoë', 'Zoe'],
      ['山田', '鈴木'],
      ['Ada Lovelace', 'Ada_Lovelace'],
      ['Ａda', 'Ada'],
      ['か', 'カ']
    ] as const) {
      assert.notEqual(keyOf(one), keyOf(other));
    }
  });
});
