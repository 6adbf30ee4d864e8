import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { providerDocs } from './support/provider-docs';

const PRETTIER = join(__dirname, '../node_modules/prettier/bin/prettier.cjs');

it('docs/providers.md says what the declarations say', () => {
  const path = join(__dirname, '../docs/providers.md');
  const text = execFileSync(process.execPath, [PRETTIER, '--stdin-filepath', path], { input: providerDocs(), encoding: 'utf8' });
  if (process.env['UPDATE_DOCS'] === 'true') writeFileSync(path, text);
  expect(readFileSync(path, 'utf8')).toBe(text);
});
