#!/usr/bin/env node
// Run in the image, after the build and the prune: of googleapis, which has a client for each of some 330 APIs (200 MB), only those stay
// that the build calls. `googleapis` itself can no longer be imported whole; the lint forbids that anyway.
import { readFileSync, readdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const APIS = join(ROOT, 'node_modules/googleapis/build/src/apis');

const built = readdirSync(join(ROOT, 'dist'), { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.js'));
const called = new Set(
  built.flatMap((file) => {
    const text = readFileSync(join(ROOT, 'dist', file), 'utf8');
    return [...text.matchAll(/require\(["']googleapis\/build\/src\/apis\/([^"'/]+)/g)].map(([, api]) => api);
  }),
);
// An empty list would be a build that was not found, and not a product without Google.
if (called.size === 0) {
  process.stderr.write('dist calls no API of Google: is it built?\n');
  process.exit(1);
}
const removed = readdirSync(APIS).filter((api) => !called.has(api));
for (const api of removed) rmSync(join(APIS, api), { recursive: true });
process.stdout.write(`googleapis: ${[...called].sort().join(', ')} stay, ${removed.length} are removed.\n`);
