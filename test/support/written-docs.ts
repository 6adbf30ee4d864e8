import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const PRETTIER = join(__dirname, '../../node_modules/prettier/bin/prettier.cjs');

/** That a page, or its generated part, is what the code says. `UPDATE_DOCS=true` writes it anew. */
export function expectWritten(file: string, make: (before: string) => string): void {
  const path = join(__dirname, '../..', file);
  const input = make(existsSync(path) ? readFileSync(path, 'utf8') : '');
  const text = execFileSync(process.execPath, [PRETTIER, '--stdin-filepath', path], { input, encoding: 'utf8' });
  if (process.env['UPDATE_DOCS'] === 'true') writeFileSync(path, text);
  expect(readFileSync(path, 'utf8')).toBe(text);
}
