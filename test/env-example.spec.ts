import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { environment } from '../src/config/env';
import { PROVIDERS } from '../src/providers';

it('.env.example names every setting that the service and its providers read, and no other', () => {
  const read = [environment.shape, ...PROVIDERS.map(({ settings }) => settings.variables)].flatMap((variables) => Object.keys(variables));
  expect(read).toContain('DATA_DIR');
  expect(read).toEqual([...new Set(read)]);

  const example = readFileSync(join(__dirname, '../.env.example'), 'utf8');
  const named = [...example.matchAll(/^#([A-Z][A-Z0-9_]+)=/gm)].map(([, name]) => name as string);
  expect([...named].sort()).toEqual([...read].sort());
});
