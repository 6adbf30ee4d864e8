// Takes examples/inside-nest and examples/inside-express out of the tree, with `trestle` as an installed package, compiles them and runs their tests: node test/examples/inside-nest.mjs
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const modules = join(ROOT, 'node_modules');

function run(name, args, cwd) {
  const { status } = spawnSync(process.execPath, args, { cwd, stdio: ['ignore', 2, 2] });
  if (status !== 0) throw new Error(`${name} failed.`);
}

/** In a folder of its own: what `npm install` would do there, without a network: the packages of this machine, and Trestle among them. */
function proven(example) {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), `trestle-${example}-`)));
  try {
    cpSync(join(ROOT, 'examples', example), folder, { recursive: true, filter: (path) => !/(dist|node_modules)$/.test(path) });
    mkdirSync(join(folder, 'node_modules'));
    for (const name of readdirSync(modules))
      if (!name.startsWith('.')) symlinkSync(join(modules, name), join(folder, 'node_modules', name));
    symlinkSync(ROOT, join(folder, 'node_modules/trestle'));
    run(`compiling ${example}`, [join(modules, 'typescript/bin/tsc')], folder);
    const tests = readdirSync(join(folder, 'dist')).filter((name) => name.endsWith('.test.js'));
    run(`the tests of ${example}`, ['--test', ...tests.map((name) => join('dist', name))], folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

try {
  run('the build of Trestle', [join(modules, '@nestjs/cli/bin/nest.js'), 'build'], ROOT);
  proven('inside-nest');
  proven('inside-express');
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
