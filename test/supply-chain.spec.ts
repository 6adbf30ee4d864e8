import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const ROOT = join(__dirname, '..');

describe('the licences of what runs in production', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'trestle-licences-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const licences = (cwd: string) =>
    spawnSync(process.execPath, [join(ROOT, 'scripts/supply-chain.mjs'), 'licences'], { cwd, encoding: 'utf8' });
  const withPackages = (packages: Record<string, object>) => {
    writeFileSync(join(folder, 'package-lock.json'), JSON.stringify({ packages: { '': {}, ...packages } }));
    return licences(folder);
  };

  it('are all allowed', () => {
    const { status, stderr, stdout } = licences(ROOT);
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^MIT: \d{2,}$/m);
  });

  it.each([
    ['GPL-3.0', 'GPL-3.0'],
    ['MIT AND AGPL-3.0', 'MIT AND AGPL-3.0'],
    ['SEE LICENSE IN LICENSE', 'SEE LICENSE IN LICENSE'],
    [undefined, 'none named'],
  ])('fail with %s', (license, told) => {
    const { status, stderr } = withPackages({ 'node_modules/good': { license: 'MIT' }, 'node_modules/a/node_modules/other': { license } });
    expect([status, stderr]).toEqual([1, `not among the allowed licences: other: ${told}\n`]);
  });

  it('take a choice with an allowed one, and what development alone needs', () => {
    const { status } = withPackages({
      'node_modules/choice': { license: '(GPL-3.0 OR MIT)' },
      'node_modules/tool': { license: 'GPL-3.0', dev: true },
    });
    expect(status).toBe(0);
  });

  it('come first in npm run check', () => {
    const steps = [...readFileSync(join(ROOT, 'scripts/develop.mjs'), 'utf8').matchAll(/^ {2}\['(\w+)', /gm)].map(([, name]) => name);
    expect(steps).toEqual(['licences', 'lint', 'types', 'format', 'imports', 'embed', 'example', 'build', 'script', 'seed', 'tests']);
  });
});
