import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import ts from 'typescript';

const ROOT = join(__dirname, '..');
const sourcesOf = (...folders: string[]) =>
  folders.flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts') && !name.includes('node_modules'))
      .map((name) => `${folder}/${name}`),
  );
const read = (file: string) => readFileSync(join(ROOT, file), 'utf8');
const PRODUCTION = sourcesOf('src').filter((file) => !/\.spec\.ts$|\/testing\/|\/migrations\/\d/.test(file));

interface Found {
  readonly file: string;
  readonly name: string;
  readonly parameters: number;
}

/** Classes that a file exports, with the length of their constructors. */
function classesOf(file: string): Found[] {
  const found: Found[] = [];
  ts.forEachChild(ts.createSourceFile(file, read(file), ts.ScriptTarget.Latest, true), (node) => {
    if (!ts.isClassDeclaration(node) || !node.name || !node.modifiers?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword)) return;
    const parameters = Math.max(0, ...node.members.filter(ts.isConstructorDeclaration).map((member) => member.parameters.length));
    found.push({ file, name: node.name.text, parameters });
  });
  return found;
}

const kebab = (name: string) =>
  name
    .replace(/([a-z0-9])([A-Z])/g, '$1-$2')
    .replace(/([A-Z]+)([A-Z][a-z])/g, '$1-$2')
    .toLowerCase();

describe('the source', () => {
  const classes = PRODUCTION.map((file) => ({ file, found: classesOf(file) })).filter(({ found }) => found.length > 0);

  it('is looked at', () => {
    expect(classes.length).toBeGreaterThan(150);
  });

  it('has no constructor over eight parameters', () => {
    const long = classes.flatMap(({ found }) => found).filter(({ parameters }) => parameters > 8);
    expect(long).toEqual([]);
  });

  it('names a file after its class; several of a kind after the kind', () => {
    const otherwise = classes.filter(({ file, found }) => {
      const name = basename(file, '.ts').replaceAll('.', '-');
      const several = found.length > 1 && found.every((one) => kebab(one.name).endsWith(name.split('-').at(-1)?.replace(/s$/, '') ?? ''));
      return !several && !found.some((one) => kebab(one.name) === name);
    });
    expect(otherwise).toEqual([]);
  });

  it('says of each global module why it is global', () => {
    const silent = PRODUCTION.filter((file) => read(file).includes('\n@Global()')).filter(
      (file) => !/\/\*\*[^/]*\bglobal\b[^/]*\*\/\n@Global\(\)/i.test(read(file)),
    );
    expect(silent).toEqual([]);
  });

  it('escapes HTML and reads cookies in one place', () => {
    const escaping = sourcesOf('src', 'demo', 'sandbox').filter((file) => /&#\$\{\w+\.charCodeAt|'&quot;'|'&#39;'/.test(read(file)));
    // The sandbox stands alone: its consent page has its own.
    expect(escaping).toEqual(['src/http-api/html.ts', 'sandbox/consent.ts']);
    const parsing = PRODUCTION.filter((file) => /headers\.cookie\b|headers\['cookie'\]|parseCookie/.test(read(file)));
    expect(parsing).toEqual([]); // all of them by request.cookies
  });

  it('serves style and script from files', () => {
    expect(PRODUCTION.filter((file) => /\.(css|js)\.ts$/.test(file))).toEqual([]);
    const inStrings = sourcesOf('src', 'sandbox', 'demo').filter(
      (file) =>
        !file.endsWith('.spec.ts') && /<style>[^$]|<script>[^$]|\sstyle="|\{\s*(color|display|margin|padding)\s*:[^,{}]*;/.test(read(file)),
    );
    expect(inStrings).toEqual([]);
  });
});

it('nothing chooses a port before it is bound', () => {
  const chosen = sourcesOf('src', 'sandbox', 'demo', 'bench', 'test').filter(
    (file) => !file.endsWith('structure.spec.ts') && /\bfreePort\b|\bgetPort\b|from 'get-port'/.test(read(file)),
  );
  expect(chosen).toEqual([]);
});
