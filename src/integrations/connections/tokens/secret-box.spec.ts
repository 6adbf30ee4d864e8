import { randomBytes } from 'node:crypto';
import { IntegrationError } from '../../../errors';
import { bindingOf, SecretBox, UnreadableSecret } from './secret-box';

const key = (id: string) => ({ id, key: randomBytes(32) });
const k1 = key('k1');
const k2 = key('k2');
const place = bindingOf('acme', 'c1', 'default', 'access');

function reasonOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    expect(error).toMatchObject({ code: 'decryption_failed' } satisfies Partial<IntegrationError>);
    const cause = (error as IntegrationError).cause as UnreadableSecret;
    return cause.reason;
  }
  throw new Error('it opened');
}

describe('SecretBox', () => {
  const box = new SecretBox([k1, k2]);

  it('gives back what was put in, whatever it is', () => {
    for (const plain of ['', 'xoxb-1', 'ü€😀', 'a'.repeat(10_000)]) expect(box.decrypt(box.encrypt(plain, place), place)).toBe(plain);
  });

  it('never gives the same text twice, and names the primary key in it', () => {
    const texts = new Set(Array.from({ length: 100 }, () => box.encrypt('same', place)));
    expect(texts.size).toBe(100);
    for (const text of texts) expect(text).toMatch(/^v1:k1:[\w-]+$/);
    expect(box.keyIdOf([...texts][0] as string)).toBe('k1');
  });

  it('reads with any of its keys', () => {
    const old = new SecretBox([k2]).encrypt('secret', place);
    expect(box.decrypt(old, place)).toBe('secret');
  });

  it('does not open a secret in another tenant, connection, kind or field', () => {
    const text = box.encrypt('secret', place);
    for (const other of [
      bindingOf('evil', 'c1', 'default', 'access'),
      bindingOf('acme', 'c2', 'default', 'access'),
      bindingOf('acme', 'c1', 'user', 'access'),
      bindingOf('acme', 'c1', 'default', 'refresh'),
    ]) {
      expect(reasonOf(() => box.decrypt(text, other))).toBe('altered');
    }
  });

  it('joins places without ambiguity', () => {
    expect(bindingOf('a|b', 'c')).not.toBe(bindingOf('a', 'b|c'));
    expect(bindingOf('a","b', 'c')).not.toBe(bindingOf('a', 'b', 'c'));
  });

  it('does not open when any bit was flipped', () => {
    const text = box.encrypt('secret', place);
    const [, , data] = text.split(':');
    const bytes = Buffer.from(data as string, 'base64url');
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const altered = Buffer.from(bytes);
      altered[bit >> 3] = (altered[bit >> 3] as number) ^ (1 << (bit & 7));
      expect(reasonOf(() => box.decrypt(`v1:k1:${altered.toString('base64url')}`, place))).toBe('altered');
    }
  });

  it('does not open when the tag was cut, however short', () => {
    const bytes = Buffer.from(box.encrypt('', place).split(':')[2] as string, 'base64url');
    for (let length = 1; length < bytes.length; length++) {
      expect(reasonOf(() => box.decrypt(`v1:k1:${bytes.subarray(0, length).toString('base64url')}`, place))).toBe('altered');
    }
  });

  it('does not open under another key id, with the same key or another', () => {
    const data = box.encrypt('secret', place).split(':')[2] as string;
    expect(reasonOf(() => box.decrypt(`v1:k2:${data}`, place))).toBe('altered');
    const sameKey = new SecretBox([k1, { id: 'alias', key: k1.key }]);
    expect(reasonOf(() => sameKey.decrypt(`v1:alias:${data}`, place))).toBe('altered');
    expect(reasonOf(() => box.decrypt(`v1:k9:${data}`, place))).toBe('missing_key');
  });

  it.each(['', 'plain', 'v1:k1:', 'v2:k1:AAAA', 'v1::AAAA', 'v1:k1:!!!!', 'v1:__proto__:AAAA'])('fails closed on %j', (text) => {
    reasonOf(() => box.decrypt(text, place));
  });

  it('says nothing of the secret in its errors', () => {
    const text = box.encrypt('CANARY', place);
    try {
      new SecretBox([k2]).decrypt(text, place);
    } catch (error) {
      const said = `${(error as Error).message} ${String((error as Error).cause)}`;
      expect(said).toContain('"k1"');
      expect(said).not.toContain(text.slice(6));
      expect(said).not.toContain('CANARY');
    }
    expect.assertions(3);
  });
});
