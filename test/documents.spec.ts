import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

const ROOT = join(__dirname, '..');
const read = (file: string) => readFileSync(join(ROOT, file), 'utf8');
const DOCUMENTS = [
  ...readdirSync(ROOT).filter((name) => name.endsWith('.md')),
  ...readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => join('docs', name)),
  ...['packages', 'examples'].flatMap((folder) => readdirSync(join(ROOT, folder)).map((name) => join(folder, name, 'README.md'))),
];
/** Paths that a text names in code marks: `src/...`, `docs/...`, without what stands for something else. */
const NAMED_PATH = /`((?:src|sandbox|demo|test|bench|docs|scripts|packages|examples|deploy)\/[\w./-]+)`/g;

describe.each([...DOCUMENTS, '.env.example'])('%s', (document) => {
  const text = read(document);

  it('links to what exists', () => {
    const links = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, link]) => link as string);
    const broken = links.filter((link) => !/^(https?|mailto):/.test(link) && !leadsSomewhere(document, link));
    expect(broken).toEqual([]);
  });

  it('names files and folders that exist', () => {
    const paths = [...text.matchAll(NAMED_PATH)].map(([, path]) => path as string);
    expect(paths.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
  });
});

it('docs/architecture.md names each part of the source, each import rule and no others', () => {
  const text = read('docs/architecture.md');
  const parts = ['src', 'src/integrations'].flatMap((parent) =>
    readdirSync(join(ROOT, parent), { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && `${parent}/${entry.name}` !== 'src/integrations')
      .map(({ name }) => `${parent}/${name}`),
  );
  expect(parts.filter((part) => !text.includes(`\`${part}`))).toEqual([]);

  // eslint-disable-next-line @typescript-eslint/no-require-imports -- a file of settings
  const { forbidden } = require('../.dependency-cruiser.cjs') as { forbidden: { name: string }[] };
  const rules = new Set(forbidden.map(({ name }) => name.replace(/^core-layer-\d+-.*/, 'core-layer-*')));
  const section = text.slice(text.indexOf('## Who may import whom'), text.indexOf('## The paths of data'));
  const named = section
    .split('\n')
    .flatMap((line) => [...(/\((`.*)\)$/.exec(line)?.[1] ?? '').matchAll(/`([\w*-]+)`/g)].map(([, name]) => name));
  expect([...named].sort()).toEqual([...rules].sort());
});

it('docs/quick-start.md shows the product as it is', () => {
  const product = read('examples/product-app/server.mjs');
  const shown = [...read('docs/quick-start.md').matchAll(/^```js\n(.*?)^```/gms)].map(([, code]) => code ?? '');
  expect(shown.length).toBeGreaterThan(2);
  expect(shown.filter((code) => !lines(product).includes(lines(code)))).toEqual([]);
});

it('docs/nest-module.md shows the applications as they are', () => {
  const applications = ['inside-nest', 'inside-express'].map((name) => lines(read(`examples/${name}/src/main.ts`)));
  const shown = [...read('docs/nest-module.md').matchAll(/^```ts\n(.*?)^```/gms)].map(([, code]) => code ?? '');
  expect(shown.length).toBeGreaterThan(2);
  expect(shown.filter((code) => !applications.some((application) => application.includes(lines(code))))).toEqual([]);
});

it('docs/embed.md shows the example as it is', () => {
  const files = { js: 'server.cjs', tsx: 'src/main.tsx', html: 'index.html' };
  for (const [language, file] of Object.entries(files)) {
    const source = lines(read(`examples/embed/${file}`));
    const shown = [...read('docs/embed.md').matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\``, 'gms'))].map(([, code]) =>
      lines(code ?? ''),
    );
    expect(shown.length).toBeGreaterThan(0);
    const isShown = (code: string) => (language === 'html' ? code.split('\n') : [code]).every((part) => source.includes(part));
    expect(shown.filter((code) => !isShown(code))).toEqual([]);
  }
});

it('docs/faults.md names each fault that is tried, and no other', () => {
  const tried = readdirSync(join(ROOT, 'test/faults')).flatMap((name) => {
    const [, number] = /^f(\d+)-.*\.ts$/.exec(name) ?? [];
    return number ? [`F${Number(number)}`] : [];
  });
  const named = [...read('docs/faults.md').matchAll(/^\| (F\d+) /gm)].map(([, id]) => id);
  expect(named.sort()).toEqual(tried.sort());
});

it('docs/dependencies.md gives a reason for each direct dependency, and for no other', () => {
  const { dependencies, devDependencies } = JSON.parse(read('package.json')) as Record<string, Record<string, string>>;
  const named = read('docs/dependencies.md')
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .flatMap((line) => [...(line.split('|')[1] ?? '').matchAll(/`([^`]+)`/g)].map(([, name]) => name));
  expect([...named].sort()).toEqual(Object.keys({ ...dependencies, ...devDependencies }).sort());
});

function leadsSomewhere(document: string, link: string): boolean {
  const [path = '', anchor] = link.split('#');
  const target = path === '' ? document : relative(ROOT, join(ROOT, dirname(document), path));
  if (!existsSync(join(ROOT, target))) return false;
  return (
    anchor === undefined ||
    read(target)
      .split('\n')
      .some((line) => /^#+ /.test(line) && slug(line) === anchor)
  );
}

/** Without how far they are indented. */
function lines(code: string): string {
  return code.replace(/^ +/gm, '').trim();
}

/** As the usual hosts make them of headings. */
function slug(heading: string): string {
  return heading
    .replace(/^#+ /, '')
    .toLowerCase()
    .replace(/[^\w\s-]/g, '')
    .trim()
    .replace(/\s/g, '-');
}
