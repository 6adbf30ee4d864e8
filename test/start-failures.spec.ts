import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { prepareDatabase } from '../src/database/connect-database';
import { OLDEST_NODE } from '../src/node-version';

const ROOT = join(__dirname, '..');
const { engines, dependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
  engines: { node: string };
  dependencies: Record<string, string>;
};

describe('a start that cannot be', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'trestle-start-'));
    writeFileSync(join(folder, 'old.cjs'), `Object.defineProperty(process.versions, 'node', { value: '20.18.3' });`);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const run = (args: string[], { cwd = ROOT, env = {}, uid }: { cwd?: string; env?: Record<string, string>; uid?: number } = {}) =>
    spawnSync(process.execPath, args, { cwd, encoding: 'utf8', uid, env: { PATH: process.env['PATH'], ...env } });

  it.each([
    ['the runner', ['scripts/run.mjs', 'start']],
    ['the service', ['-r', './scripts/register-swc.cjs', 'src/main.ts']],
    ['a command', ['-r', './scripts/register-swc.cjs', 'src/cli/keys.ts', 'status']],
  ])('says first that Node is too old: %s', (_, args) => {
    const { status, stderr, stdout } = run(['-r', join(folder, 'old.cjs'), ...args]);
    expect([status, stdout, stderr]).toEqual([1, '', `Node ${OLDEST_NODE} or newer is needed; this is 20.18.3.\n`]);
  });

  it('says in a sentence that its folder cannot be made, with what else is wrong', () => {
    const uid = process.getuid?.() === 0 ? 65_534 : undefined; // root may make any folder
    const env = { DATA_DIR: '/nowhere/data', DATABASE_URL: 'postgres://a:b@c:d/e' };
    const first = run(['-r', './scripts/register-swc.cjs', 'src/cli/migrate.ts'], { env, uid });
    expect([first.status, first.stderr]).toEqual([1, expect.stringContaining('  - DATABASE_URL: is no address')]);
    const { status, stderr } = run(['-r', './scripts/register-swc.cjs', 'src/cli/migrate.ts'], { env: { DATA_DIR: '/nowhere/data' }, uid });
    expect([status, stderr]).toEqual([
      1,
      expect.stringContaining('  - DATA_DIR: /nowhere/data is not there, and this user cannot make it in /;'),
    ]);
    expect(stderr).not.toContain('    at ');
  });

  it('asks for the Node that package.json and the runner ask for', () => {
    expect(engines.node).toBe(`>=${OLDEST_NODE}`);
    expect(readFileSync(join(ROOT, 'scripts/run.mjs'), 'utf8')).toContain(`OLDEST_NODE = '${OLDEST_NODE}'`);
  });

  it('lists in production all that is lacking, and installs and builds nothing', () => {
    const bare = join(folder, 'bare');
    mkdirSync(bare);
    for (const name of ['package.json', 'package-lock.json', 'scripts']) cpSync(join(ROOT, name), join(bare, name), { recursive: true });
    const start = () => run(['scripts/run.mjs', 'start'], { cwd: bare, env: { NODE_ENV: 'production' } });
    const { status, stdout, stderr } = start();
    expect([status, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(/\n {2}- node_modules: .* and \d+ more are not installed\n {2}- dist\/main\.js: is not built\n/);
    expect(stderr).toContain('Before: npm ci && npm run build && npm prune --omit=dev');
    for (const name of Object.keys(dependencies)) if (name !== 'pg') mkdirSync(join(bare, 'node_modules', name), { recursive: true });
    expect(start().stderr).toContain('  - node_modules: pg is not installed\n');
  });
});

describe('a server that says no', () => {
  let server: Server;
  afterEach(() => new Promise((resolve) => server.close(resolve)));

  /** Answers every first packet with the same bytes, as a Postgres does that will not talk. */
  async function answering(bytes: Buffer): Promise<string> {
    server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.once('data', () => socket.end(bytes));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return `postgres://ada:a-password@127.0.0.1:${(server.address() as AddressInfo).port}/shop`;
  }

  /** https://www.postgresql.org/docs/current/protocol-message-formats.html, ErrorResponse */
  function refusal(code: string, message: string): Buffer {
    const fields = Buffer.from(`SFATAL\0VFATAL\0C${code}\0M${message}\0\0`);
    const head = Buffer.from('E\0\0\0\0');
    head.writeInt32BE(fields.length + 4, 1);
    return Buffer.concat([head, fields]);
  }

  const toldBy = async (databaseUrl: string, migrationDatabaseUrl?: string) => {
    const error = await prepareDatabase({ dataDir: '', databaseUrl, migrationDatabaseUrl }).then(
      () => undefined,
      (reason: Error) => reason,
    );
    expect(error?.name).toBe('SettingsError');
    expect(error?.message).not.toContain('a-password');
    return error?.message;
  };

  it.each([
    ['28P01', 'password authentication failed for user "ada"', /DATABASE_URL: the server refuses the password/],
    ['28000', 'no pg_hba.conf entry', /DATABASE_URL: the server does not let this role in/],
    ['3D000', 'database "shop" does not exist', /DATABASE_URL: there is no such database.*CREATE DATABASE/],
    ['42501', 'permission denied for database', /DATABASE_URL: the role lacks a right/],
  ])('is told at once and in a sentence: %s', async (code, message, sentence) => {
    expect(await toldBy(await answering(refusal(code, message)))).toMatch(sentence);
  });

  it('is told where TLS is asked of one that has none, and where a file of the address is not there', async () => {
    const url = await answering(Buffer.from('N'));
    expect(await toldBy(`${url}?sslmode=verify-full`)).toMatch(/DATABASE_URL: asks for TLS/);
    expect(await toldBy(`${url}?sslmode=verify-full&sslrootcert=/nowhere/ca.pem`)).toMatch(/names the file \/nowhere\/ca\.pem/);
  });
});
