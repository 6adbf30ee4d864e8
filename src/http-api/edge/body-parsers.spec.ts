import { isRaw, jsonShape } from './body-parsers';

describe('jsonShape', () => {
  const shape = (text: string, limits = { depth: 64, members: 64 }) => Object.values(jsonShape(Buffer.from(text), limits));

  it('counts the levels of objects and lists', () => {
    expect(['[[[1]]]', '{"a":{"b":[{}]}}', '[[],[],[],[],[]]', '1'].map((text) => shape(text)[0])).toEqual([3, 4, 2, 0]);
  });

  it('counts the members of all objects', () => {
    expect(['{"a":1,"b":{"c":[{"d":2}]}}', '[1,2,3]', '{}'].map((text) => shape(text)[1])).toEqual([4, 0, 0]);
  });

  it('does not count what stands in text', () => {
    expect(['"[[[[["', '"\\"[[[:["', '["\\\\",[[[]]]]', '{"a:b":":"}'].map((text) => shape(text))).toEqual([
      [0, 0],
      [0, 0],
      [4, 0],
      [1, 1],
    ]);
  });

  it('ends where a limit is passed', () => {
    expect(shape('['.repeat(100), { depth: 3, members: 3 })).toEqual([4, 0]);
    expect(shape('{"a":1,'.repeat(100), { depth: 1_000, members: 3 })).toEqual([4, 4]);
  });
});

it('leaves the bodies of webhooks and of the proxy alone, and no others', () => {
  expect(
    ['/webhooks/:provider', '/v1/connections/:id/proxy/*', '/v1/connections/:id/syncs', '/v1/connections', '/session'].map(isRaw),
  ).toEqual([true, true, false, false, false]);
});
