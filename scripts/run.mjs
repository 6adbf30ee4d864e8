#!/usr/bin/env node
// The door of every npm command: installs and builds what is missing, then hands over. Needs Node alone.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
process.chdir(ROOT);

const bin = (name) => join('node_modules', name);
const JEST = [bin('jest/bin/jest.js')];

/** What `npm run check` runs, in its order; the first fault ends it. */
const CHECKS = [
  ['format', [bin('prettier/bin/prettier.cjs'), '--check', '--log-level', 'warn', '.']],
  ['lint', [bin('eslint/bin/eslint.js'), '.']],
  ['types', [bin('typescript/bin/tsc'), '--noEmit', '-p', 'tsconfig.json']],
  ['imports', [bin('dependency-cruiser/bin/dependency-cruise.mjs'), 'src', 'sandbox', 'demo', '--config', '.dependency-cruiser.cjs']],
  ['build', [bin('@nestjs/cli/bin/nest.js'), 'build']],
  ['tests', JEST],
];

const COMMANDS = {
  demo: (args) => source('demo/main.ts', args),
  sandbox: (args) => source('sandbox/main.ts', args),
  start: (args) => node(['dist/main.js', ...args], { built: true }),
  token: (args) => node(['dist/cli/token.js', ...args], { built: true }),
  keys: (args) => node(['dist/cli/keys.js', ...args], { built: true }),
  migrate: (args) => node(['dist/cli/migrate.js', ...args], { built: true }),
  attacks: (args) => heavy('test/attacks', args),
  faults: (args) => heavy('test/faults', args),
  bench: (args) => heavy('bench', args),
  test: (args) => node([...JEST, ...args]),
  check: () => {
    for (const [name, args] of CHECKS) {
      say(`check: ${name}`);
      const status = node(args);
      if (status !== 0) return status;
    }
    return 0;
  },
};

function heavy(folder, args) {
  if (folder === 'bench') ensureInstalled('bench');
  return source(`${folder}/run.ts`, args);
}

/** Lives outside `src`: TypeScript that is run as it stands, against the build. */
function source(file, args) {
  return node(['-r', './scripts/register-swc.cjs', file, ...args], { built: true });
}

/** Installs from the lock file when it changed since the last install. */
function ensureInstalled(folder = '.') {
  const lock = join(folder, 'package-lock.json');
  const stamp = join(folder, 'node_modules', '.trestle-lock');
  const hash = createHash('sha256').update(readFileSync(lock)).digest('hex');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === hash) return;
  say(`installing dependencies${folder === '.' ? '' : ` of ${folder}`} (once)`);
  // Its own output would stand before what a command prints for machines.
  const result = spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--ignore-scripts'], {
    cwd: folder,
    stdio: ['ignore', 2, 2],
    shell: process.platform === 'win32',
  });
  if (result.status !== 0) process.exit(result.status ?? 1);
  mkdirSync(dirname(stamp), { recursive: true });
  writeFileSync(stamp, hash);
}

function ensureBuilt() {
  const stamp = join('dist', '.built');
  const newest = Math.max(
    newestIn('src'),
    ...['package-lock.json', 'tsconfig.json', 'tsconfig.build.json'].map((file) => statSync(file).mtimeMs),
  );
  if (existsSync(stamp) && statSync(stamp).mtimeMs > newest) return;
  say('building (once)');
  const result = spawnSync(process.execPath, [bin('@nestjs/cli/bin/nest.js'), 'build'], { stdio: ['ignore', 2, 2] });
  if (result.status !== 0) process.exit(result.status ?? 1);
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

function node(args, { built = false } = {}) {
  ensureInstalled();
  if (built) ensureBuilt();
  // An own process group member that gets the terminal's signals itself; ours are passed on by the shell's group.
  process.on('SIGINT', () => {});
  process.on('SIGTERM', () => {});
  const result = spawnSync(process.execPath, args, { stdio: 'inherit' });
  return result.status ?? (result.signal ? 1 : 0);
}

function say(line) {
  process.stderr.write(`${line}\n`);
}

const [command, ...args] = process.argv.slice(2);
const run = COMMANDS[command];
if (!run) {
  say(`usage: run.mjs ${Object.keys(COMMANDS).join('|')}`);
  process.exit(2);
}
process.exit(run(args));
