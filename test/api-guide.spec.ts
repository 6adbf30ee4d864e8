import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { useConnectedApp } from './support/connected-app';

interface Call {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /** `20x` where either will do. */
  readonly status: string;
  readonly answer: unknown;
}

jest.setTimeout(180_000);

/** Every call on the page: a request line, headers, a body, and behind `#` what is answered. */
function calls(): Call[] {
  const text = readFileSync(join(__dirname, '../docs/api.md'), 'utf8');
  return [...text.matchAll(/^```http\n(.*?)^```/gms)].map(([, block = '']) => {
    const [head = '', ...rest] = block.trim().split('\n\n');
    const [first = '', ...lines] = head.split('\n');
    const [method = '', path = ''] = first.split(' ');
    const [, status = '', answer = ''] = /^# (\S+) (.*)$/s.exec(rest.at(-1) ?? '') ?? [];
    const headers = Object.fromEntries(lines.map((line) => line.split(': ') as [string, string]));
    return { method, path, headers, status, answer: JSON.parse(answer) as unknown, ...(rest.length > 1 && { body: rest[0] }) };
  });
}

describe('docs/api.md', () => {
  const connected = useConnectedApp();
  const known: Record<string, string> = {};
  const filled = (text: string) => text.replaceAll(/\{([\w ]+)\}/g, (whole, name: string) => known[name] ?? whole);

  beforeAll(async () => {
    const { app, connections } = connected;
    Object.assign(known, connections, {
      origin: app.url,
      'user token': await app.tokenFor({ tenant: 'acme', user: 'ada' }),
      'admin token': await app.tokenFor({ tenant: 'acme', user: 'boss', role: 'admin' }),
    });
  });

  /** What the page shows is there: `…` is whatever, and `{name}` is kept for the calls after it. */
  function expectShown(shown: unknown, given: unknown, place: string): void {
    if (shown === '…') return expect([place, given === undefined]).toEqual([place, false]);
    const [, name] = typeof shown === 'string' ? (/^\{([\w ]+)\}$/.exec(shown) ?? []) : [];
    if (name !== undefined && known[name] === undefined) return void (known[name] = String(given));
    if (name !== undefined) return expect([place, given]).toEqual([place, known[name]]);
    if (typeof shown !== 'object' || shown === null) return expect([place, given]).toEqual([place, shown]);
    if (Array.isArray(shown)) expect([place, (given as unknown[]).length]).toEqual([place, shown.length]);
    for (const [key, value] of Object.entries(shown)) expectShown(value, (given as Record<string, unknown>)?.[key], `${place}.${key}`);
  }

  it('makes calls', () => expect(calls().length).toBeGreaterThan(15));

  it('shows what is answered, in the order of the page', async () => {
    for (const { method, path, headers, body, status, answer } of calls()) {
      const response = await fetch(connected.app.url + filled(path), {
        method,
        headers: Object.fromEntries(
          Object.entries({ ...headers, ...(body && { 'content-type': 'application/json' }) }).map(([name, value]) => [name, filled(value)]),
        ),
        ...(body && { body: filled(body) }),
      });
      const given = (await response.json()) as unknown;
      const place = `${method} ${path}`;
      expect(`${place}: ${response.status} ${response.ok ? '' : JSON.stringify(given)}`).toMatch(
        `${place}: ${status.replace('x', String(response.status % 10))}`,
      );
      expectShown(answer, given, place);
    }
  });
});
