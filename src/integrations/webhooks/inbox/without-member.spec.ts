import { withoutMember } from './without-member';

const without = (value: unknown) => JSON.parse(withoutMember(Buffer.from(JSON.stringify(value)), 'token').toString()) as unknown;

describe('withoutMember', () => {
  it('removes the value wherever the member stands', () => {
    expect(without({ token: 'a"b\\', list: [{ token: 'c', other: 'd' }] })).toEqual({ token: null, list: [{ token: null, other: 'd' }] });
  });

  it('leaves a text that only speaks of it as it is', () => {
    const message = { text: 'write {"token":"x"} there', tokens: { bot: ['u1'] } };
    expect(without(message)).toEqual(message);
  });

  it('gives the very bytes where there is none', () => {
    const body = Buffer.from('{ "a" : 1 }');
    expect(withoutMember(body, 'token')).toBe(body);
  });
});
