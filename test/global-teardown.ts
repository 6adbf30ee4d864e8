import { onServer, TEMPLATE_DATABASE } from './support/test-database';

export default async function globalTeardown(): Promise<void> {
  const server = process.env['TEST_DATABASE_URL'];
  const template = process.env[TEMPLATE_DATABASE];
  if (server && template) await onServer(server, `DROP DATABASE IF EXISTS ${template} WITH (FORCE)`);
}
