import { rm } from 'node:fs/promises';
import { onServer, RUN_FOLDER, TEMPLATE_DATABASE } from './support/test-database';

export default async function globalTeardown(): Promise<void> {
  const server = process.env['TEST_DATABASE_URL'];
  const template = process.env[TEMPLATE_DATABASE];
  if (server && template) await onServer(server, `DROP DATABASE IF EXISTS ${template} WITH (FORCE)`);
  const folder = process.env[RUN_FOLDER];
  if (folder) await rm(folder, { recursive: true, force: true, maxRetries: 3 });
}
