import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';

const CLIENT = join(__dirname, '../packages/client');
/** What the snippets take for granted of the program around them. */
const AROUND = `
import type { IncomingMessage } from 'node:http';
declare const user: { readonly id: string };
declare const connectionId: string;
declare const signal: AbortSignal;
declare const rawBody: Buffer;
declare const request: IncomingMessage;
declare const secret: string;
declare function tokenFor(of: typeof user): Promise<string>;
declare function saved(): Promise<string | undefined>;
declare function save(cursor: string): Promise<void>;
declare function apply(change: { readonly id: string; readonly data: unknown; readonly deleted: boolean; readonly changedAt: string }): Promise<void>;
`;

/** All snippets as one program, which leans on the client's sources. */
function faultsOf(snippets: readonly string[]): string[] {
  const file = join(CLIENT, 'README.snippets.ts');
  const text = [AROUND, ...snippets].join('\n').replace(`'@trestle/client'`, `'./src/index.ts'`);
  const options: ts.CompilerOptions = {
    noEmit: true,
    strict: true,
    skipLibCheck: true,
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.ES2022,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    lib: ['lib.es2022.d.ts', 'lib.dom.d.ts', 'lib.dom.iterable.d.ts'],
    types: ['node'],
    allowImportingTsExtensions: true,
  };
  const host = ts.createCompilerHost(options);
  const { fileExists, readFile } = host;
  host.fileExists = (path) => path === file || fileExists(path);
  host.readFile = (path) => (path === file ? text : readFile(path));
  const program = ts.createProgram([file], options, host);
  return ts.getPreEmitDiagnostics(program).map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'));
}

const shown = [...readFileSync(join(CLIENT, 'README.md'), 'utf8').matchAll(/^```ts\n(.*?)^```/gms)].map(([, code]) => code ?? '');

it('what packages/client/README.md shows compiles against the client', () => {
  expect(shown.length).toBeGreaterThan(2);
  expect(faultsOf(shown)).toEqual([]);
}, 60_000);

it('a snippet that calls what is not there does not', () => {
  expect(faultsOf([...shown, `void trestle.get('/v1/no-such-route');`])).toEqual([expect.stringContaining('no-such-route')]);
}, 60_000);
