import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';

const ROOT = join(__dirname, '../..');
/** What a fresh clone does not have, or what is shared with it. */
const NOT_CLONED = new Set(['node_modules', '.git', 'dist', '.data', 'coverage', '.env']);

jest.setTimeout(900_000);

describe('npm run new:provider in a fresh clone', () => {
  let clone: string;
  beforeAll(() => {
    clone = mkdtempSync(join(tmpdir(), 'new-provider-'));
    cpSync(ROOT, clone, { recursive: true, filter: (path) => path === ROOT || !NOT_CLONED.has(basename(path)) });
    symlinkSync(join(ROOT, 'node_modules'), join(clone, 'node_modules'));
  });
  afterAll(() => rmSync(clone, { recursive: true, force: true }));

  function run(file: string, args: readonly string[]): void {
    const env = { ...process.env, JEST_WORKER_ID: undefined, UPDATE_DOCS: undefined };
    const { status, stdout, stderr } = spawnSync(process.execPath, [file, ...args], { cwd: clone, env, encoding: 'utf8' });
    expect({ file, status, said: status === 0 ? '' : `${stdout}${stderr}`.slice(-4_000) }).toEqual({ file, status: 0, said: '' });
  }
  const bin = (name: string) => join('node_modules', name);

  it('writes providers that pass types, lint, format and the tests at once', () => {
    const api = ['--docs', 'https://acme.example/docs/oauth', '--api', 'https://api.acme.example/v1', '--account', 'me'];
    const signIn = ['--authorize', 'https://acme.example/oauth/authorize', '--token', 'https://acme.example/oauth/token'];
    run('scripts/new-provider.mjs', ['--name', 'Acme Signs In', ...api, ...signIn, '--scopes', 'read write', '--pkce', '--refresh']);
    const key = ['--key-help', 'In Acme under Settings: an API key.', '--header', 'x-key'];
    run('scripts/new-provider.mjs', ['--name', 'Acme 2 Keys', ...api, ...key, '--full']);

    const written = ['acme-signs-in', 'acme-2-keys', 'index'].map((name) => `src/providers/plain/${name}.ts`);
    run(bin('typescript/bin/tsc'), ['--noEmit', '-p', 'tsconfig.json']);
    run(bin('eslint/bin/eslint.js'), written);
    run(bin('prettier/bin/prettier.cjs'), ['--check', ...written, 'README.md', 'docs/providers.md']);
    run(bin('jest/bin/jest.js'), ['-w', '1', '--forceExit', 'test/plain-providers', '-t', 'acme-']);
    expect(readFileSync(join(clone, 'docs/providers.md'), 'utf8')).toContain('`acme-2-keys`');
    expect(readFileSync(join(clone, 'README.md'), 'utf8')).toContain('create a thing');
  });
});
