#!/usr/bin/env node
// Writes a provider that is data: its file and its line in the index. Its pretend provider and its tests are made of the file.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const FOLDER = join(ROOT, 'src/providers/plain');
const USAGE = `npm run new:provider -- --name "Acme" --docs https://acme.example/docs/oauth --api https://api.acme.example/v1/ --account me
  sign-in:  --authorize https://acme.example/oauth/authorize --token https://acme.example/oauth/token [--scopes "read write"] [--pkce] [--refresh] [--basic]
  or a key: --key-help "In Acme under Settings: an API key." [--header x-api-key]
  further:  --id /id --account-name /name --against "its documentation"
  in full:  --full adds a synced resource, webhooks and an operation, to be made what the provider has`;

const text = { type: 'string' };
const flag = { type: 'boolean', default: false };
const options = {
  name: text,
  docs: text,
  api: text,
  account: text,
  authorize: text,
  token: text,
  scopes: text,
  header: text,
  against: text,
};
const { values } = parseArgs({
  options: { ...options, 'key-help': text, id: text, 'account-name': text, pkce: flag, refresh: flag, basic: flag, full: flag },
});

const missing = ['name', 'docs', 'api', 'account'].filter((name) => !values[name]);
const signsIn = values.authorize && values.token;
if (missing.length > 0 || !(signsIn || values['key-help']))
  stop(`Missing: ${[...missing, ...(signsIn || values['key-help'] ? [] : ['authorize and token, or key-help'])].join(', ')}\n\n${USAGE}`);
for (const name of ['docs', 'api', 'authorize', 'token'])
  if (values[name] && !/^https:\/\/\S+$/.test(values[name])) stop(`--${name} must be an https address.`);

const key = values.name
  .toLowerCase()
  .replace(/[^a-z0-9]+/g, '-')
  .replace(/^-|-$/g, '');
if (!/^[a-z][a-z0-9-]{0,31}$/.test(key)) stop(`"${values.name}" makes no key: begin with a letter.`);
const file = join(FOLDER, `${key}.ts`);
if (existsSync(file)) stop(`${file} is there already.`);

const variable = key.replace(/-(\w)/g, (_, letter) => letter.toUpperCase());
const declaration = {
  key,
  name: values.name,
  docs: values.docs,
  checked: { at: new Date().toISOString().slice(0, 10), against: values.against ?? 'nothing yet' },
  apiBaseUrl: values.api.replace(/\/*$/, '/'),
  ...(signsIn && {
    oauth2: {
      authorizeUrl: values.authorize,
      tokenUrl: values.token,
      ...(values.scopes && { scopes: values.scopes.split(/[\s,]+/) }),
      ...(values.pkce && { pkce: true }),
      ...(values.refresh && { refresh: true }),
      ...(values.basic && { clientAuth: 'basic' }),
    },
  }),
  ...(values['key-help'] && { apiKey: { help: values['key-help'] } }),
  ...(values.header && { credential: { in: 'header', name: values.header } }),
  account: { path: values.account.replace(/^\//, ''), id: values.id ?? '/id', name: values['account-name'] ?? '/name' },
};
const zod = values.full ? `import { z } from 'zod';\n` : '';
const said = JSON.stringify(declaration).slice(0, -1) + (values.full ? `,${inFull()}` : '');
writeFileSync(
  file,
  `${zod}import type { PlainProvider } from '../../integrations';\n\nexport const ${variable}: PlainProvider = ${said}};\n`,
);

const index = join(FOLDER, 'index.ts');
const [head, ...lines] = readFileSync(index, 'utf8').trimEnd().split('\n');
const sorted = [...lines, `export { ${variable} } from './${key}';`].sort((a, b) => (a.split("'")[1] < b.split("'")[1] ? -1 : 1));
writeFileSync(index, `${[head, ...sorted].join('\n')}\n`);

run('node_modules/prettier/bin/prettier.cjs', ['--write', '--log-level', 'warn', file, index]);
run('node_modules/jest/bin/jest.js', ['-w', '1', 'test/plain-providers.docs.spec.ts'], { UPDATE_DOCS: 'true' });
console.log(
  `Written: src/providers/plain/${key}.ts, its line in index.ts, docs/providers.md, the table of README.md. Try it: npx jest test/plain-providers -t ${key}`,
);

/** One of each, in the forms that are met most: what runs from the first minute is changed line by line. */
function inFull() {
  return `
    webhooks: {
      scheme: { kind: 'hmac', header: 'x-${key}-signature' },
      eventId: '/id',
      type: ['/type'],
      routingKey: '/account_id',
      objectId: '/data/id',
      objectVersion: '/data/updated_at',
      records: [{ types: ['thing.*'], resource: 'things', at: '/data', gone: ['thing.deleted'] }],
    },
    resources: [
      {
        name: 'things',
        label: 'Things',
        // 'whole' once the reference says so: what the list leaves out unless asked (archived, closed, old) is never taken for gone.
        extent: { filtered: 'Not looked up yet what this list leaves out.' },
        path: 'things',
        items: '/data',
        version: '/updated_at',
        page: { by: 'cursor', param: 'cursor', next: '/next_cursor' },
        since: { param: 'updated_since', as: 'iso' },
      },
    ],
    operations: [
      {
        name: 'things.create',
        title: 'Create a thing',
        description: 'Adds a thing with a name.',
        effect: 'write',
        makes: true,
        method: 'POST',
        path: 'things',
        input: z.strictObject({ name: z.string().min(1).max(200) }),
        output: z.object({ id: z.string() }),
      },
    ],`;
}

function run(file, args, env = {}) {
  const { status } = spawnSync(process.execPath, [file, ...args], {
    cwd: ROOT,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, ...env },
  });
  if (status !== 0) process.exit(status ?? 1);
}

function stop(sentence) {
  console.error(sentence);
  process.exit(1);
}
