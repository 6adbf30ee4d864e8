#!/usr/bin/env node
// The door of every npm command, and no process of its own: what it runs, it runs in this one, so that signals and the exit code are
// the command's own. In production it hands over to the build; installing and building stand in develop.mjs, which is not asked then.
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const OLDEST_NODE = '20.19';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const require = createRequire(import.meta.url);
const PRODUCTION = process.env.NODE_ENV === 'production';

/** What runs the service. */
const SERVICE = {
  start: 'dist/main.js',
  token: 'dist/cli/token.js',
  keys: 'dist/cli/keys.js',
  migrate: 'dist/cli/migrate.js',
  export: 'dist/cli/export.js',
  import: 'dist/cli/import.js',
};
/** What lies beside it: TypeScript that is run as it stands. `built`: it starts the service; `client`: it imports `@trestle/client`; `embed`: a page of `@trestle/embed`. */
const BESIDE = {
  demo: { file: 'demo/main.ts', built: true },
  sandbox: { file: 'sandbox/main.ts' },
  webhook: { file: 'sandbox/webhook.ts' },
  attacks: { file: 'test/attacks/run.ts', built: true },
  faults: { file: 'test/faults/run.ts', built: true },
  soak: { file: 'test/soak/run.ts', built: true },
  'image:check': { file: 'test/image/run.ts', built: true },
  bench: { file: 'bench/run.ts', built: true, installs: 'bench' },
  'product-app': { file: 'examples/product-app/server.mjs', client: true },
  'embed-app': { file: 'examples/embed/start.mjs', embed: true },
};

async function main([command, ...args]) {
  if (isOlder(process.versions.node, OLDEST_NODE)) return fail(`Node ${OLDEST_NODE} or newer is needed; this is ${process.versions.node}.`);
  process.chdir(ROOT);
  if (SERVICE[command]) return service(SERVICE[command], args);
  if (BESIDE[command]) return beside(BESIDE[command], args);
  if (command === 'test' || command === 'check') {
    const development = await import('./develop.mjs');
    development.ensureInstalled();
    return command === 'check' ? development.check() : handOver(development.JEST, args);
  }
  say(`usage: run.mjs ${[...Object.keys(SERVICE), ...Object.keys(BESIDE), 'test', 'check'].join('|')}`);
  process.exitCode = 2;
}

async function service(file, args) {
  if (PRODUCTION) {
    const lacking = lackingOf(file);
    if (lacking.length > 0)
      return fail(
        `Not ready to run in production:\n${lacking.map((sentence) => `  - ${sentence}`).join('\n')}\nNothing is installed or built in production. Before: npm ci && npm run build && npm prune --omit=dev`,
      );
  } else {
    const { ensureInstalled, ensureBuilt } = await import('./develop.mjs');
    ensureInstalled();
    ensureBuilt();
  }
  handOver(file, args);
}

async function beside({ file, built, installs, client, embed }, args) {
  const { ensureInstalled, ensureBuilt, ensureClientBuilt, ensureExampleBuilt } = await import('./develop.mjs');
  ensureInstalled();
  if (built) ensureBuilt();
  if (installs) ensureInstalled(installs);
  if (client) ensureClientBuilt();
  if (embed) ensureExampleBuilt();
  if (file.endsWith('.mjs')) return import(pathToFileURL(join(ROOT, file)).href);
  require('./register-swc.cjs');
  handOver(file, args);
}

/** What is not there of what a start needs; the settings are the service's own to check. */
function lackingOf(file) {
  const { dependencies } = require('../package.json');
  const packages = Object.keys(dependencies).filter((name) => !existsSync(join('node_modules', name)));
  const named = packages.slice(0, 5).join(', ') + (packages.length > 5 ? ` and ${packages.length - 5} more` : '');
  return [
    ...(packages.length > 0 ? [`node_modules: ${named} ${packages.length === 1 ? 'is' : 'are'} not installed`] : []),
    ...(existsSync(file) ? [] : [`${file}: is not built`]),
  ];
}

function handOver(file, args) {
  const path = join(ROOT, file);
  process.argv = [process.argv[0], path, ...args];
  require(path);
}

function isOlder(version, than) {
  const [[major, minor], [least, leastMinor]] = [version, than].map((each) => each.split('.').map(Number));
  return major < least || (major === least && minor < leastMinor);
}

function fail(text) {
  say(text);
  process.exitCode = 1;
}

function say(line) {
  process.stderr.write(`${line}\n`);
}

await main(process.argv.slice(2));
