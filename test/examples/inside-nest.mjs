// Takes examples/inside-nest out of the tree, with `trestle` as an installed package, compiles it and runs its tests: node test/examples/inside-nest.mjs
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const modules = join(ROOT, 'node_modules');
const folder = realpathSync(mkdtempSync(join(tmpdir(), 'trestle-inside-nest-')));

function run(name, args, cwd) {
  const { status } = spawnSync(process.execPath, args, { cwd, stdio: ['ignore', 2, 2] });
  if (status !== 0) throw new Error(`${name} failed.`);
}

try {
  run('the build of Trestle', [join(modules, '@nestjs/cli/bin/nest.js'), 'build'], ROOT);
  cpSync(join(ROOT, 'examples/inside-nest'), folder, { recursive: true, filter: (path) => !/(dist|node_modules)$/.test(path) });
  // What `npm install` would do, without a network: the packages of this machine, and Trestle among them.
  mkdirSync(join(folder, 'node_modules'));
  for (const name of readdirSync(modules)) if (!name.startsWith('.')) symlinkSync(join(modules, name), join(folder, 'node_modules', name));
  symlinkSync(ROOT, join(folder, 'node_modules/trestle'));
  run('compiling the application', [join(modules, 'typescript/bin/tsc')], folder);
  const tests = readdirSync(join(folder, 'dist')).filter((name) => name.endsWith('.test.js'));
  run('its tests', ['--test', ...tests.map((name) => join('dist', name))], folder);
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
