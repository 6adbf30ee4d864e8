// What development needs before a command runs: dependencies and a build. Production never comes here.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const bin = (name) => join('node_modules', name);

export const JEST = bin('jest/bin/jest.js');

/** What `npm run check` runs, in its order; the first fault ends it. */
const CHECKS = [
  ['licences', ['scripts/supply-chain.mjs', 'licences']],
  ['format', [bin('prettier/bin/prettier.cjs'), '--check', '--log-level', 'warn', '.']],
  ['lint', [bin('eslint/bin/eslint.js'), '.']],
  ['types', [bin('typescript/bin/tsc'), '--noEmit', '-p', 'tsconfig.json']],
  ['imports', [bin('dependency-cruiser/bin/dependency-cruise.mjs'), 'src', 'sandbox', 'demo', '--config', '.dependency-cruiser.cjs']],
  ['build', [bin('@nestjs/cli/bin/nest.js'), 'build']],
  ['tests', [JEST]],
];

export function check() {
  for (const [name, args] of CHECKS) {
    say(`check: ${name}`);
    endUnless(spawnSync(process.execPath, args, { stdio: 'inherit' }));
  }
}

/** Installs from the lock file when it changed since the last install. */
export function ensureInstalled(folder = '.') {
  const lock = join(folder, 'package-lock.json');
  const stamp = join(folder, 'node_modules', '.trestle-lock');
  const hash = createHash('sha256').update(readFileSync(lock)).digest('hex');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === hash) return;
  say(`installing dependencies${folder === '.' ? '' : ` of ${folder}`} (once)`);
  // Its own output would stand before what a command prints for machines.
  endUnless(
    spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--ignore-scripts'], {
      cwd: folder,
      stdio: ['ignore', 2, 2],
      shell: process.platform === 'win32',
    }),
  );
  mkdirSync(dirname(stamp), { recursive: true });
  writeFileSync(stamp, hash);
}

export function ensureBuilt() {
  const stamp = join('dist', '.built');
  const newest = Math.max(
    newestIn('src'),
    ...['package-lock.json', 'tsconfig.json', 'tsconfig.build.json'].map((file) => statSync(file).mtimeMs),
  );
  if (existsSync(stamp) && statSync(stamp).mtimeMs > newest) return;
  say('building (once)');
  endUnless(spawnSync(process.execPath, [bin('@nestjs/cli/bin/nest.js'), 'build'], { stdio: ['ignore', 2, 2] }));
  writeFileSync(stamp, '');
}

function newestIn(folder) {
  let newest = statSync(folder).mtimeMs;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    newest = Math.max(newest, entry.isDirectory() ? newestIn(path) : statSync(path).mtimeMs);
  }
  return newest;
}

/** A step that failed, or that a signal ended, ends the command. */
function endUnless({ status }) {
  if (status !== 0) process.exit(status ?? 1);
}

function say(line) {
  process.stderr.write(`${line}\n`);
}
