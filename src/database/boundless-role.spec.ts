import { randomUUID } from 'node:crypto';
import { Logger } from '@nestjs/common';
import {
  asServiceRole,
  createServerDatabase,
  dropServerDatabase,
  onServer,
  SERVICE_ROLE,
  withDatabase,
} from '../../test/support/test-database';
import { boundlessRole } from './boundless-role';
import { connectDatabase, prepareDatabase } from './connect-database';
import { migrateServer } from './migrator';

const server = process.env['TEST_DATABASE_URL'] ?? '';
const describeOnServer = server ? describe : describe.skip;

describeOnServer('the role of DATABASE_URL', () => {
  let url: string;
  const roles: string[] = [];
  beforeAll(async () => {
    url = await createServerDatabase(server);
  });
  afterAll(async () => {
    await dropServerDatabase(server, url);
    for (const role of roles) await onServer(server, `DROP ROLE ${role}`);
  });

  /** A role that may sign in, with the rights of the service and these attributes. @returns the database as that role */
  async function asRole(attributes: string): Promise<{ name: string; databaseUrl: string }> {
    const name = `trestle_test_${randomUUID().slice(0, 8)}`;
    await onServer(server, `CREATE ROLE ${name} LOGIN PASSWORD '${name}' ${attributes} IN ROLE trestle_worker, trestle_caller`);
    roles.push(name);
    return { name, databaseUrl: Object.assign(new URL(url), { username: name, password: name }).href };
  }

  it.each([
    ['SUPERUSER', 'is a superuser'],
    ['BYPASSRLS', 'has BYPASSRLS'],
  ])('is told in production where the policies do not bind it: %s', async (attributes, why) => {
    const { name, databaseUrl } = await asRole(attributes);
    const warnings: string[] = [];
    const warn = jest.spyOn(Logger.prototype, 'warn').mockImplementation((line: unknown) => void warnings.push(String(line)));
    for (const production of [false, true]) {
      const dataSource = await connectDatabase({ databaseUrl, dataDir: '', production });
      expect(await boundlessRole(dataSource)).toContain(`The role "${name}" of DATABASE_URL ${why}`);
      await dataSource.destroy();
      expect(warnings.filter((line) => line.includes(name))).toHaveLength(production ? 1 : 0);
    }
    warn.mockRestore();
  });

  it('is not told of one that they bind', async () => {
    const warn = jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => undefined);
    const dataSource = await connectDatabase({ databaseUrl: asServiceRole(url), dataDir: '', production: true });
    expect(await boundlessRole(dataSource)).toBeUndefined();
    expect(warn.mock.calls.flat().filter((line) => String(line).includes(SERVICE_ROLE))).toEqual([]);
    warn.mockRestore();
    await dataSource.destroy();
  });
});

describeOnServer('a database that the role of DATABASE_URL cannot migrate', () => {
  let empty: string;
  beforeEach(async () => {
    empty = withDatabase(server, `trestle_test_${randomUUID().replaceAll('-', '')}`);
    await onServer(server, `CREATE DATABASE ${new URL(empty).pathname.slice(1)}`);
  });
  afterEach(() => dropServerDatabase(server, empty));
  const refusal = () => prepareDatabase({ databaseUrl: asServiceRole(empty), dataDir: '' }).catch((reason: Error) => reason);

  it('is told to be migrated first, by whom, where it is empty or of a version before', async () => {
    const sentence = `the database is of another version, and the role "${SERVICE_ROLE}" may not change it; run \`npm run migrate\` first`;
    expect(await refusal()).toMatchObject({ name: 'SettingsError', message: expect.stringContaining(sentence) as string });
    await migrateServer(empty);
    await onServer(empty, 'DELETE FROM migrations WHERE timestamp = (SELECT max(timestamp) FROM migrations)');
    expect(await refusal()).toMatchObject({ name: 'SettingsError', message: expect.stringContaining(sentence) as string });
  });

  it('is told by the setting that names the role, where that is MIGRATION_DATABASE_URL', async () => {
    const asked = prepareDatabase({ databaseUrl: empty, migrationDatabaseUrl: asServiceRole(empty), dataDir: '' });
    await expect(asked).rejects.toMatchObject({
      name: 'SettingsError',
      message: expect.stringContaining(
        `MIGRATION_DATABASE_URL: the database is of another version, and the role "${SERVICE_ROLE}" may not change it; name the role that owns the tables`,
      ) as string,
    });
  });

  it('is told by the right that is lacking where the role may not even look, and opens once it may', async () => {
    await migrateServer(empty);
    await onServer(empty, 'REVOKE SELECT ON migrations FROM trestle_worker');
    const sentence = 'DATABASE_URL: the role lacks a right that is needed; see "Roles of the database" in docs/operations.md';
    expect(await refusal()).toMatchObject({ name: 'SettingsError', message: expect.stringContaining(sentence) as string });
    await onServer(empty, 'GRANT SELECT ON migrations TO trestle_worker');
    expect(await refusal()).toMatchObject({ settings: { databaseUrl: asServiceRole(empty) } });
  });
});
