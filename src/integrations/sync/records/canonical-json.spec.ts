import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { canonicalJson, contentHashes, HASH_BYTES } from './canonical-json';

describe('canonical JSON', () => {
  it('says the same as JSON', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), (value) =>
        expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value))),
      ),
      { numRuns: 500 },
    );
  });

  it('is the same text for the same content in another order', () => {
    const turned = (value: unknown): unknown => {
      if (Array.isArray(value)) return value.map(turned);
      if (typeof value !== 'object' || value === null) return value;
      return Object.fromEntries(
        Object.entries(value)
          .reverse()
          .map(([key, member]) => [key, turned(member)]),
      );
    };
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), (value) => expect(canonicalJson(turned(value))).toBe(canonicalJson(value))),
      { numRuns: 500 },
    );
  });

  it('tells objects apart whose keys look alike when they are joined', () => {
    const alike = [{ a: 0, b: 0 }, { 'a\0b': 0 }, { a: 0, 'b\0c': 0 }, { 'a\0b': 0, c: 0 }, {}, { '': 0 }];
    const texts = [...alike, ...alike].map(canonicalJson);
    expect(new Set(texts).size).toBe(alike.length);
    expect(texts.slice(alike.length)).toEqual(texts.slice(0, alike.length));
  });

  it('differs where the content does', () => {
    const hashes = contentHashes([canonicalJson({ a: 1 }), canonicalJson({ a: '1' })]);
    expect(hashes).toHaveLength(2 * HASH_BYTES);
    expect(hashes.subarray(0, HASH_BYTES)).toEqual(createHash('sha256').update('{"a":1}').digest().subarray(0, HASH_BYTES));
    expect(hashes.subarray(HASH_BYTES)).not.toEqual(hashes.subarray(0, HASH_BYTES));
    expect(canonicalJson({ a: undefined, b: Number.NaN, c: new Date(0), d: -0 })).toBe('{"b":null,"c":"1970-01-01T00:00:00.000Z","d":0}');
  });

  it('replaces what the database cannot hold, and nothing else', () => {
    expect(canonicalJson('a\0b\ud800c\udc00')).toBe('"a\ufffdb\ufffdc\ufffd"');
    expect(canonicalJson({ path: 'C:\\u0000', smile: '😀' })).toBe('{"path":"C:\\\\u0000","smile":"😀"}');
  });
});
