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
  const sources = ['src', 'package-lock.json', 'tsconfig.json', 'tsconfig.build.json'];
  build({ what: 'building', sources, into: 'dist', command: [bin('@nestjs/cli/bin/nest.js'), 'build'] });
}

export function ensureClientBuilt() {
  const folder = 'packages/client';
  const sources = [join(folder, 'src'), join(folder, 'tsconfig.json'), 'tsconfig.json'];
  build({ what: 'building the client', sources, into: join(folder, 'dist'), command: [bin('typescript/bin/tsc'), '-p', folder] });
}

function build({ what, sources, into, command }) {
  const stamp = join(into, '.built');
  const newest = Math.max(...sources.map((source) => (statSync(source).isDirectory() ? newestIn(source) : statSync(source).mtimeMs)));
  if (existsSync(stamp) && statSync(stamp).mtimeMs > newest) return;
  say(`${what} (once)`);
  endUnless(spawnSync(process.execPath, command, { stdio: ['ignore', 2, 2] }));
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
