import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ERROR_KINDS } from '../src/errors';
import { POLICY_CHOICES, ProviderRegistry, type Provider } from '../src/integrations';
import { ENGLISH_WORDS, languagesOf, OWN_CATALOGUES, placeholdersOf, type Word } from '../src/languages';
import { PLAIN_PROVIDERS } from '../src/providers';
import { startTestApp, type TestApp } from './support/test-app';

const SOURCES = join(__dirname, '..', 'src');
/** Pages that a product's user sees. Those of administrators and developers are in English. */
const USER_PAGES = [
  ...readdirSync(join(SOURCES, 'ui/settings')).map((name) => `ui/settings/${name}`),
  ...['layout', 'leave-page', 'confirm-page'].map((name) => `ui/${name}.ts`),
  ...['connect-page', 'connect-done-page', 'error-page'].map((name) => `integrations/connect/${name}.ts`),
  ...['sessions/session-pages', 'sessions/session.controller', 'problems/problem.filter', 'html'].map((name) => `http-api/${name}.ts`),
  'ui/assets/trestle.js',
].filter((path) => !path.endsWith('.spec.ts'));
const OTHERS = languagesOf({}).filter(({ tag }) => tag !== 'en');

describe('the languages that come with Trestle', () => {
  let test: TestApp;
  beforeAll(async () => {
    test = await startTestApp();
  });
  afterAll(() => test.close());

  it.each(OTHERS.map(({ tag }) => tag))('%s says each word, with the same to be filled in, and none that there is not', (tag) => {
    const { words } = OWN_CATALOGUES[tag]!;
    const filledIn = (texts: Readonly<Record<string, string>>) =>
      Object.fromEntries(Object.entries(texts).map(([word, text]) => [word, placeholdersOf(text)]));
    expect(filledIn(words)).toEqual(filledIn(ENGLISH_WORDS));
    expect(Object.values(words).filter((text) => text.trim() === '')).toEqual([]);
  });

  it.each(OTHERS)('$tag knows each sentence of errors and of who may use a connection', (language) => {
    const sentences = [
      ...Object.values(ERROR_KINDS).flatMap(({ title, detail, nextStep }) => [title, detail, nextStep]),
      ...Object.values(POLICY_CHOICES).map(({ words }) => words),
    ];
    expect(sentences.filter((sentence) => language.translated(sentence) === undefined)).toEqual([]);
  });

  it.each(OTHERS)('$tag knows what each provider asks for, reads and leaves out', (language) => {
    const providers = test.app.get(ProviderRegistry).all();
    const unknown = [...providers.flatMap(textsOf), ...PLAIN_PROVIDERS.flatMap(extentsOf)].filter(
      ({ text, translations }) => language.translated(text, translations) === undefined,
    );
    expect(unknown.map(({ text }) => text)).toEqual([]);
    expect(providers.length).toBeGreaterThan(100);
  });

  it('each word is said by a page, and a page says no other', () => {
    const sources = ['ui', 'http-api', 'integrations/connect', 'languages'].flatMap(sourcesBelow).join('\n');
    const said = new Set([...sources.matchAll(/'([a-z][A-Za-z]*\.[a-zA-Z]+)'/g)].map(([, word]) => word));
    const ofAChoice = (word: string) => /^disconnect\.(keep|purge)$/.test(word);
    expect((Object.keys(ENGLISH_WORDS) as Word[]).filter((word) => !said.has(word) && !ofAChoice(word))).toEqual([]);
  });

  it.each(USER_PAGES)('%s holds no sentence of its own', (path) => {
    const source = readFileSync(join(SOURCES, path), 'utf8').replace(/\/\*[^]*?\*\/|(^|\s)\/\/.*$/gm, '');
    expect(literalsIn(source)).toEqual([]);
  });
});

function textsOf({ oauth2, apiKey, ask = {}, sync, translations }: Provider) {
  const texts = [
    ...Object.values(oauth2?.scopeWords ?? {}),
    ...Object.values(oauth2?.userScopes?.words ?? {}),
    ...(apiKey ? [apiKey.help] : []),
    ...Object.values(ask).map(({ label }) => label),
    ...(sync?.resources ?? []).map(({ label }) => label),
  ];
  return texts.map((text) => ({ text, translations }));
}

function extentsOf({ resources = [], translations }: (typeof PLAIN_PROVIDERS)[number]) {
  const texts = resources.flatMap(({ extent, partial }) => [
    ...(typeof extent === 'object' ? Object.entries(extent).flatMap(([kind, text]) => (kind === 'unless' ? [] : [text])) : []),
    ...(partial ? [partial.why] : []),
  ]);
  return texts.filter((text): text is string => typeof text === 'string' && text.endsWith('.')).map((text) => ({ text, translations }));
}

function sourcesBelow(folder: string): string[] {
  return readdirSync(join(SOURCES, folder), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts') && !path.endsWith('.spec.ts'))
    .map((path) => readFileSync(join(SOURCES, folder, path), 'utf8'));
}

/** Texts between tags, and in the attributes that people read. */
function literalsIn(source: string): string[] {
  const plain = source.replace(/\$\{(?:[^{}`]|\{[^{}]*\}|`[^`]*`)*\}/g, '');
  const between = [...plain.matchAll(/>([^<>`]*[A-Za-z]{3}[^<>`]*)</g)]
    .map(([, text]) => text!.trim())
    .filter((text) => /^[A-Z][a-z]+( [a-z]+)*[.:?]?$/.test(text) && text !== 'Promise');
  const attributes = [...plain.matchAll(/(?:aria-label|title|placeholder|alt)="([^"]*[A-Za-z]{3}[^"]*)"/g)].map(([, text]) => text!);
  return [...between, ...attributes];
}
