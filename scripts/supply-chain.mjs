// node scripts/supply-chain.mjs sbom|licences: what the service is built of, from the lock file alone.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** Under which the service may be given on. Anything else ends the check: look at it, then add it here. */
const ALLOWED = new Set([
  '0BSD',
  'Apache-2.0',
  'BlueOak-1.0.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'ISC',
  'MIT',
  'MIT-0',
  'Python-2.0',
  'Unlicense',
]);

/** The lock file names none, or not by its SPDX name; looked up in the packages themselves. */
const LOOKED_UP = [
  [/^@msgpackr-extract\//, 'MIT'],
  [/^passport-strategy$/, 'MIT'],
  [/^url-template$/, 'BSD-3-Clause'],
];

/** CycloneDX, of what runs in production. */
function sbom() {
  const args = ['sbom', '--sbom-format', 'cyclonedx', '--sbom-type', 'application', '--package-lock-only', '--omit', 'dev'];
  const { status } = spawnSync('npm', args, { stdio: 'inherit', shell: process.platform === 'win32' });
  return status ?? 1;
}

/** Lists the licences of what runs in production, and fails on one that is not known. */
function licences() {
  const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8'));
  const byLicence = new Map();
  const unknown = [];
  for (const [path, { license: told, dev, devOptional, link }] of Object.entries(packages)) {
    if (path === '' || dev || devOptional || link) continue;
    const name = path.replace(/^.*node_modules\//, '');
    const license = LOOKED_UP.find(([pattern]) => pattern.test(name))?.[1] ?? told;
    byLicence.set(license, [...(byLicence.get(license) ?? []), name]);
    if (!isAllowed(license)) unknown.push(`${name}: ${license ?? 'none named'}`);
  }
  for (const [licence, names] of [...byLicence].sort(([a], [b]) => String(a).localeCompare(String(b))))
    process.stdout.write(`${licence}: ${names.length}\n`);
  for (const each of unknown) process.stderr.write(`not among the allowed licences: ${each}\n`);
  return unknown.length > 0 ? 1 : 0;
}

/** `(MIT OR Apache-2.0)`: one of them is enough; with AND all are needed. */
function isAllowed(licence) {
  if (typeof licence !== 'string') return false;
  const plain = licence.replace(/[()]/g, '');
  return plain.split(' OR ').some((choice) => choice.split(' AND ').every((each) => ALLOWED.has(each.trim())));
}

const commands = { sbom, licences };
const command = commands[process.argv[2]];
if (!command) {
  process.stderr.write('usage: node scripts/supply-chain.mjs sbom|licences\n');
  process.exit(2);
}
process.exit(command());
