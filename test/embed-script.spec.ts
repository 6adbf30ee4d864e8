import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { startTestApp, type TestApp } from './support/test-app';

const ROOT = join(__dirname, '..');
const MOST_BYTES = 20 * 1024;

interface Catalogue {
  readonly words: Readonly<Record<string, string>>;
}

describe('the script that pages embed', () => {
  let app: TestApp;
  let built: string;

  beforeAll(async () => {
    const { status, stderr } = spawnSync(process.execPath, ['packages/embed/build.mjs'], { cwd: ROOT, encoding: 'utf8' });
    expect([status, stderr]).toEqual([0, '']);
    built = readFileSync(join(ROOT, 'packages/embed/dist/trestle.js'), 'utf8');
    app = await startTestApp({ sandbox: false });
  });
  afterAll(() => app.close());

  it('is at most 20 kB over the wire, and names the licence of what it holds', () => {
    expect(gzipSync(built, { level: 9 }).length).toBeLessThanOrEqual(MOST_BYTES);
    expect(built).toMatch(/^\/\*! Trestle, MIT\. Holds Lit, .*BSD-3-Clause/);
  });

  it('runs under a strict policy: makes no code of text, and writes no style into the page', () => {
    expect(built).not.toMatch(/\beval\(|new Function|setTimeout\(["'`]/);
    expect(built).not.toMatch(/localStorage|sessionStorage|document\.cookie|indexedDB/);
    expect(built).not.toMatch(/ style=/);
  });

  it('has an address that stays, and one for each version', async () => {
    const newest = await fetch(`${app.url}/embed/trestle.js`, { headers: { origin: 'https://anybody.example' } });
    expect(await newest.text()).toBe(built);
    const told = (await (await fetch(`${app.url}/embed/trestle.json`)).json()) as { version: string; script: string; integrity: string };
    expect(told.integrity).toBe(`sha384-${createHash('sha384').update(built).digest('base64')}`);
    const version = await fetch(told.script);
    expect(await version.text()).toBe(built);
    for (const { headers } of [newest, version])
      expect(
        ['content-type', 'access-control-allow-origin', 'access-control-allow-credentials', 'cross-origin-resource-policy'].map((name) =>
          headers.get(name),
        ),
      ).toEqual(['text/javascript; charset=utf-8', '*', null, 'cross-origin']);
    expect(newest.headers.get('cache-control')).toBe('public, max-age=3600, stale-while-revalidate=604800');
    expect(version.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
    const known = await fetch(`${app.url}/embed/trestle.js`, { headers: { 'if-none-match': newest.headers.get('etag') ?? '' } });
    expect(known.status).toBe(304);
    const old = await fetch(`${app.url}/embed/${'A'.repeat(16)}/trestle.js`);
    expect([old.status, old.headers.get('cache-control')]).toEqual([404, 'no-store']);
  });

  it('says the same in each of its languages', () => {
    const names = (tag: string) => {
      const { words } = JSON.parse(readFileSync(join(ROOT, `packages/embed/src/languages/${tag}.json`), 'utf8')) as Catalogue;
      return Object.entries(words).map(([word, text]) => [word, [...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name).sort()]);
    };
    expect(names('en').length).toBeGreaterThan(20);
    expect(names('zh')).toEqual(names('en'));
  });
});
