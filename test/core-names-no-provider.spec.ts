import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { PLAIN_PROVIDERS, PROVIDERS } from '../src/providers';

const ROOT = join(__dirname, '..');
const CORE = ['src/integrations', 'src/config', 'src/http-api'].map((folder) => join(ROOT, folder));

/** Keys that are words of the language as well, and stand in the core as such. */
const ALSO_WORDS = new Set(['box', 'close', 'line', 'x']);

/** Where a name may stand, and why. */
const ALLOWED: readonly RegExp[] = [
  // A setting of operators for their own chat, under the name it has in their files.
  /ALERT_SLACK_WEBHOOK_URL/g,
  /alertSlackWebhookUrl/g,
  // Where a standard or a library that we rely on is published.
  /https:\/\/github\.com\/\S+/g,
];

function filesIn(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return entry.name === 'testing' ? [] : filesIn(path);
    return entry.name.endsWith('.ts') && !entry.name.endsWith('.spec.ts') ? [path] : [];
  });
}

/** Those with code of their own are looked for inside of words too, the declared ones as whole words. */
function pattern(): RegExp {
  const full = [...PROVIDERS.map(({ settings }) => settings.key), 'gmail'];
  const plain = PLAIN_PROVIDERS.flatMap(({ key, name }) => [key, name.toLowerCase()]).filter((word) => !ALSO_WORDS.has(word));
  const escaped = (words: readonly string[]) => [...new Set(words)].map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('|');
  return new RegExp(`${escaped(full)}|(?<![a-z0-9])(?:${escaped(plain)})(?![a-z0-9])`, 'i');
}

const NAMES = pattern();

function namesIn(text: string): string[] {
  return text.split('\n').flatMap((line, index) => {
    const rest = ALLOWED.reduce((left, allowed) => left.replace(allowed, ''), line);
    const found = NAMES.exec(rest)?.[0];
    return found === undefined ? [] : [`${index + 1}: ${found}: ${line.trim()}`];
  });
}

it('no file of the core holds the name of a provider', () => {
  const found = CORE.flatMap(filesIn).flatMap((file) =>
    namesIn(readFileSync(file, 'utf8')).map((line) => `${relative(ROOT, file)}:${line}`),
  );
  expect(found).toEqual([]);
});

it('a name would be found: in a comment, in a word, in a text', () => {
  for (const line of [
    '// as Slack does',
    'const isStripeEvent = 1;',
    "'x-goog-id', 'gmail.push'",
    "if (key === 'github')",
    'for Notion only',
  ])
    expect(namesIn(line)).toHaveLength(1);
  expect(namesIn('ALERT_SLACK_WEBHOOK_URL: url, a line that is stripped, to close a box')).toEqual([]);
});

it('a word that may stand is the key of a provider', () => {
  const keys = PLAIN_PROVIDERS.map(({ key }) => key);
  expect([...ALSO_WORDS].filter((word) => !keys.includes(word))).toEqual([]);
});
