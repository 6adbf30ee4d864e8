import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { errorCatalogueMarkdown } from './error-catalogue';

it('docs/errors.md is what the code says; node dist/cli/error-catalogue.js writes it anew', () => {
  expect(readFileSync(join(__dirname, '../../../docs/errors.md'), 'utf8')).toBe(errorCatalogueMarkdown());
});
