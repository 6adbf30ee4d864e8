import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const read = (path: string) => readFileSync(join(__dirname, '..', path), 'utf8');

it('.env.example names every setting that the service reads, and no other', () => {
  const source = read('src/config/env.ts');
  const plain = [...source.matchAll(/^ {2}([A-Z][A-Z_]+):/gm)].map(([, name]) => name);
  const urls = [...source.matchAll(/'([A-Z_]+_URL)'/g)].map(([, suffix]) => suffix);
  expect(plain).toContain('DATA_DIR');
  expect(urls).toContain('TOKEN_URL');

  const named = [...read('.env.example').matchAll(/^#([A-Z][A-Z_]+)=/gm)].map(([, name]) => name as string);
  expect(named).toEqual([...new Set(named)]);
  for (const name of plain) expect(named).toContain(name);
  for (const prefix of ['SLACK', 'STRIPE', 'GOOGLE']) {
    for (const suffix of urls) if (suffix !== 'PUBSUB_JWKS_URL') expect(named).toContain(`${prefix}_${suffix}`);
  }
  const provider = /^(SLACK|STRIPE|GOOGLE)_/;
  expect(named.filter((name) => !provider.test(name)).sort()).toEqual([...plain].sort());
});
