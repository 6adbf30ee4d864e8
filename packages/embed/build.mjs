// Builds what pages load: `trestle.js` for one script tag, and modules for a bundler. `node build.mjs [folder]`: the script also goes there.
import { mkdirSync, readdirSync, renameSync, rmSync, writeFileSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

// Whatever it is called by: Lit has another build for development, which is larger and talks.
process.env.NODE_ENV = 'production';
const { build } = await import('vite');

const ROOT = dirname(fileURLToPath(import.meta.url));
/** Two builds may go on at once. */
const DRAFT = join(ROOT, 'dist', `.draft-${process.pid}`);
const LICENCE = '/*! Trestle, MIT. Holds Lit, Copyright 2017 Google LLC, BSD-3-Clause: https://github.com/lit/lit/blob/main/LICENSE */';

/** @param entries by the name of the file that they become; @param external what the page's own bundle brings */
async function bundle(entries, { format, external = [] }) {
  await build({
    root: ROOT,
    configFile: false,
    logLevel: 'warn',
    publicDir: false,
    define: { 'process.env.NODE_ENV': JSON.stringify('production') },
    build: {
      target: 'es2022',
      outDir: DRAFT,
      emptyOutDir: false,
      minify: true,
      lib: { entry: entries, formats: [format], name: 'TrestleScript', fileName: (_, name) => `${name}.js` },
      rollupOptions: { external, output: { postBanner: LICENCE, chunkFileNames: '[name].js' } },
    },
  });
}

function replace(file, content) {
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, content);
  renameSync(draft, file);
}

try {
  await bundle({ trestle: join(ROOT, 'src/script.ts') }, { format: 'iife' });
  await bundle(
    { index: join(ROOT, 'src/index.ts'), elements: join(ROOT, 'src/elements/index.ts'), react: join(ROOT, 'src/react.ts') },
    { format: 'es', external: ['react'] },
  );
  for (const name of readdirSync(DRAFT)) renameSync(join(DRAFT, name), join(ROOT, 'dist', name));
} finally {
  rmSync(DRAFT, { recursive: true, force: true });
}

const [folder] = process.argv.slice(2);
if (folder) {
  mkdirSync(folder, { recursive: true });
  replace(join(folder, 'trestle.js'), readFileSync(join(ROOT, 'dist/trestle.js')));
}
