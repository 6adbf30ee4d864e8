#!/usr/bin/env node
// `node scripts/structure.mjs [folder of a checkout]`: what each folder of src holds. Specs and what is made for them are counted apart, as are
// data (plain providers) and migrations.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const ROOT = process.argv[2] ?? dirname(dirname(fileURLToPath(import.meta.url)));
const SRC = join(ROOT, 'src');
/** Folders that are parts of a part. */
const DEEPER = new Set(['integrations', 'providers']);
const KINDS = { tests: /\.spec\.ts$|\/testing\//, data: /^providers\/plain\/|\/migrations\// };

const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .sort();
const parts = new Map();
const apart = { tests: none(), data: none() };
for (const file of files) {
  const text = readFileSync(join(SRC, file), 'utf8');
  const lines = text.split('\n').length - 1;
  const kind = Object.keys(KINDS).find((name) => KINDS[name].test(file));
  if (kind) add(apart[kind], lines);
  else {
    const name = folderOf(file);
    if (!parts.has(name)) parts.set(name, { ...none(), constructor: 0, of: '', exports: exportsOf(join(SRC, name, 'index.ts')) });
    const part = parts.get(name);
    add(part, lines);
    for (const each of constructorsOf(file, text))
      if (each.parameters > part.constructor) Object.assign(part, { constructor: each.parameters, of: each.name });
  }
}

const rows = [...parts].map(([name, { files: count, lines, constructor, of, exports }]) => [
  name,
  count,
  lines,
  Math.round(lines / count),
  constructor ? `${constructor} ${of}` : '',
  exports ?? '',
]);
const all = [...parts.values()].reduce((sum, { files: count, lines }) => ({ files: sum.files + count, lines: sum.lines + lines }), none());
const table = [
  ['folder', 'files', 'lines', 'a file', 'longest constructor', 'exports'],
  ...rows,
  ['src', all.files, all.lines, Math.round(all.lines / all.files), '', ''],
  ['data and migrations', apart.data.files, apart.data.lines, '', '', ''],
  ['tests in src', apart.tests.files, apart.tests.lines, '', '', ''],
];
const widths = table[0].map((_, column) => Math.max(...table.map((row) => String(row[column]).length)));
for (const row of table)
  process.stdout.write(
    `${row
      .map((cell, column) => String(cell).padEnd(widths[column]))
      .join('  ')
      .trimEnd()}\n`,
  );

function none() {
  return { files: 0, lines: 0 };
}

function add(sum, lines) {
  sum.files++;
  sum.lines += lines;
}

function folderOf(file) {
  const [first, second] = file.split('/');
  if (!file.includes('/')) return '.';
  return DEEPER.has(first) && file.split('/').length > 2 ? `${first}/${second}` : first;
}

function parse(name, text) {
  return ts.createSourceFile(name, text, ts.ScriptTarget.Latest, true);
}

function constructorsOf(file, text) {
  return parse(file, text).statements.flatMap((node) =>
    ts.isClassDeclaration(node)
      ? node.members
          .filter(ts.isConstructorDeclaration)
          .map(({ parameters }) => ({ name: node.name?.text ?? '', parameters: parameters.length }))
      : [],
  );
}

/** Names that an index gives; undefined where there is none. `export *` counts as one. */
function exportsOf(index) {
  if (!existsSync(index)) return undefined;
  return parse(index, readFileSync(index, 'utf8'))
    .statements.filter((node) => ts.isExportDeclaration(node) || node.modifiers?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword))
    .reduce((count, { exportClause }) => count + (exportClause && ts.isNamedExports(exportClause) ? exportClause.elements.length : 1), 0);
}
