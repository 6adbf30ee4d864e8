// What development needs before a command runs: dependencies and a build. Production never comes here.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';

const bin = (name) => join('node_modules', name);

export const JEST = bin('jest/bin/jest.js');

const BUILD = [bin('@nestjs/cli/bin/nest.js'), 'build'];
/** What the product's pages load; it lies in the build of the service, which serves it. */
const EMBED = ['packages/embed/build.mjs', 'dist/ui/embed'];
/** What a first start of the embedded database begins with. */
const SEED = ['scripts/seed-database.mjs'];

/** What `npm run check` looks at first: as many beside each other as there are cores; after the licences the longest first. */
const LOOKS = [
  ['licences', ['scripts/supply-chain.mjs', 'licences']],
  ['lint', [bin('eslint/bin/eslint.js'), '.']],
  ['types', [bin('typescript/bin/tsc'), '--noEmit', '-p', 'tsconfig.json']],
  ['format', [bin('prettier/bin/prettier.cjs'), '--check', '--log-level', 'warn', '.']],
  ['imports', [bin('dependency-cruiser/bin/dependency-cruise.mjs'), 'src', 'sandbox', 'demo', '--config', '.dependency-cruiser.cjs']],
  ['embed', [bin('typescript/bin/tsc'), '--noEmit', '-p', 'packages/embed']],
  ['example', [bin('typescript/bin/tsc'), '--noEmit', '-p', 'examples/embed']],
];
/** What it does then, in its order. */
const STEPS = [
  ['build', BUILD],
  ['script', EMBED],
  ['seed', SEED],
  ['tests', [JEST]],
];

/** The first fault ends it. */
export async function check() {
  const open = [...LOOKS];
  const look = async () => {
    for (let next = open.shift(); next; next = open.shift()) {
      const { status, output, seconds } = await looked(next[1]);
      say(`check: ${next[0]} (${seconds} s)`);
      process.stderr.write(output);
      endUnless({ status });
    }
  };
  await Promise.all(Array.from({ length: Math.min(availableParallelism(), LOOKS.length) }, look));
  for (const [name, args] of STEPS) {
    say(`check: ${name}`);
    endUnless(spawnSync(process.execPath, args, { stdio: 'inherit' }));
  }
}

/** Runs to its end; what it says is held until then, as others speak beside it. */
async function looked(args) {
  const began = performance.now();
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  process.once('exit', () => child.kill());
  const output = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (part) => output.push(part));
  const [status] = await once(child, 'close');
  return { status, output: Buffer.concat(output), seconds: Math.round((performance.now() - began) / 1_000) };
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
  const sources = ['src', 'packages/client/src', 'packages/embed/src', 'package-lock.json', 'tsconfig.json', 'tsconfig.build.json'];
  build({ what: 'building', sources, into: 'dist', commands: [BUILD, EMBED, SEED] });
}

export function ensureClientBuilt() {
  const folder = 'packages/client';
  const sources = [join(folder, 'src'), join(folder, 'tsconfig.json'), 'tsconfig.json'];
  build({ what: 'building the client', sources, into: join(folder, 'dist'), commands: [[bin('typescript/bin/tsc'), '-p', folder]] });
}

export function ensureExampleBuilt() {
  ensureEmbedBuilt();
  const folder = 'examples/embed';
  const sources = [join(folder, 'src'), join(folder, 'index.html'), 'packages/embed/dist'];
  const command = [bin('vite/bin/vite.js'), 'build', folder, '--logLevel', 'warn'];
  build({ what: 'building the example', sources, into: join(folder, 'dist'), commands: [command] });
}

function ensureEmbedBuilt() {
  const folder = 'packages/embed';
  const sources = [join(folder, 'src'), join(folder, 'build.mjs'), 'packages/client/src'];
  build({ what: 'building what pages embed', sources, into: join(folder, 'dist'), commands: [[EMBED[0]]] });
}

function build({ what, sources, into, commands }) {
  const stamp = join(into, '.built');
  const newest = Math.max(...sources.map((source) => (statSync(source).isDirectory() ? newestIn(source) : statSync(source).mtimeMs)));
  if (existsSync(stamp) && statSync(stamp).mtimeMs > newest) return;
  say(`${what} (once)`);
  for (const command of commands) endUnless(spawnSync(process.execPath, command, { stdio: ['ignore', 2, 2] }));
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
