import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The routes of the API's description, as it is stored: in production nobody serves it, and a test holds it to what the routes say. */
export function describedPaths<Operations>(): Readonly<Record<string, Operations>> {
  const text = readFileSync(join(__dirname, '../../../docs/openapi.json'), 'utf8');
  return (JSON.parse(text) as { paths: Record<string, Operations> }).paths;
}
