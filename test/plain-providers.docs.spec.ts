import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { providerDocs } from './support/provider-docs';
import { withProviders } from './support/readme-providers';
import { startTestApp } from './support/test-app';

const PRETTIER = join(__dirname, '../node_modules/prettier/bin/prettier.cjs');

/** `UPDATE_DOCS=true` writes it anew. */
function expectWritten(file: string, make: (before: string) => string): void {
  const path = join(__dirname, '..', file);
  const input = make(readFileSync(path, 'utf8'));
  const text = execFileSync(process.execPath, [PRETTIER, '--stdin-filepath', path], { input, encoding: 'utf8' });
  if (process.env['UPDATE_DOCS'] === 'true') writeFileSync(path, text);
  expect(readFileSync(path, 'utf8')).toBe(text);
}

it('docs/providers.md says what the declarations say', () => expectWritten('docs/providers.md', providerDocs));

it('the table of README.md says what the service has', async () => {
  const app = await startTestApp({ settings: { WORKERS: 'false' } });
  try {
    expectWritten('README.md', (readme) => withProviders(readme, app));
  } finally {
    await app.close();
  }
});
