#!/usr/bin/env node
// The door of every npm command. In development it installs and builds what is missing; in production it only hands over. Needs Node alone.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  process.stderr.write(`Node 20.19 or newer is needed; this is ${process.versions.node}.\n`);
  process.exit(1);
}

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
  sandbox: (args) => alone('sandbox/main.ts', args),
  webhook: (args) => alone('sandbox/webhook.ts', args),
  start: (args) => here('dist/main.js', args),
  token: (args) => here('dist/cli/token.js', args),
  keys: (args) => here('dist/cli/keys.js', args),
  migrate: (args) => here('dist/cli/migrate.js', args),
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

/** TypeScript that needs nothing of the service: nothing is built for it. */
function alone(file, args) {
  return node(['-r', './scripts/register-swc.cjs', file, ...args]);
}

/** In this process, so that signals reach the service and its exit code is ours. */
async function here(file, args) {
  if (process.env.NODE_ENV === 'production') {
    const lacking = ['node_modules', file].filter((path) => !existsSync(path));
    if (lacking.length > 0) {
      say(`Not ready to run in production: there is no ${lacking.join(' and no ')}.`);
      say('Nothing is installed or built in production. Before: npm ci && npm run build && npm prune --omit=dev');
      return 1;
    }
  } else {
    ensureInstalled();
    ensureBuilt();
  }
  const path = join(ROOT, file);
  process.argv = [process.argv[0], path, ...args];
  await import(pathToFileURL(path).href);
  return undefined; // it ends by itself
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
const status = await run(args);
if (status !== undefined) process.exit(status);
