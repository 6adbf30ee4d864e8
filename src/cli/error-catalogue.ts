import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { errorCatalogueMarkdown } from '../http-api/problems/error-catalogue';

/** Writes `docs/errors.md` anew: `npm run build && node dist/cli/error-catalogue.js`. A test says when that is due. */
writeFileSync(join(process.cwd(), 'docs', 'errors.md'), errorCatalogueMarkdown());
