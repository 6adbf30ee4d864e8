import { deeperThan, isRaw } from './body-parsers';

describe('deeperThan', () => {
  const deeper = (text: string, limit = 3) => deeperThan(Buffer.from(text), limit);

  it('counts the levels of objects and lists', () => {
    expect([deeper('[[[1]]]'), deeper('[[[[1]]]]'), deeper('{"a":{"b":[{}]}}'), deeper('[[],[],[],[],[]]')]).toEqual([
      false,
      true,
      true,
      false,
    ]);
  });

  it('does not count what stands in text', () => {
    expect([deeper('"[[[[["'), deeper('"\\"[[[[["'), deeper('["\\\\",[[[]]]]')]).toEqual([false, false, true]);
  });
});

it('leaves the bodies of webhooks and of the proxy alone, and no others', () => {
  expect(
    ['/webhooks/:provider', '/v1/connections/:id/proxy/*', '/v1/connections/:id/syncs', '/v1/connections', '/session'].map(isRaw),
  ).toEqual([true, true, false, false, false]);
});
