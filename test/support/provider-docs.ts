import { z } from 'zod';
import { plainShape } from '../../src/integrations/providers/plain/plain-shape';
import { PLAIN_PROVIDERS } from '../../src/providers';
import type { PlainProvider } from '../../src/integrations';

/** `docs/providers.md`, made of the declarations. */
export function providerDocs(): string {
  const rows = [...PLAIN_PROVIDERS].sort(byName).map(rowOf);
  const columns = ['provider', 'key', 'connect', 'asks for', 'webhooks', 'syncs', 'operations', 'checked'];
  return [
    '# Plain providers',
    '',
    `${PLAIN_PROVIDERS.length} providers that are data: a file each in \`src/providers/plain\`. Generated from the declarations; \`UPDATE_DOCS=true npx jest test/plain-providers.docs.spec.ts\` writes it anew.`,
    '',
    'Settings are named by the key: `<KEY>_CLIENT_ID`, `<KEY>_CLIENT_SECRET`, `<KEY>_SCOPES`, `<KEY>_WEBHOOK_SECRET`, `<KEY>_PRIVATE_KEY` (of an installed app), `<KEY>_OFFERED=true` (shows it on the pages; by default those with a client id are).',
    '"checked" says when the addresses of signing in were last compared, and with what; not every fact of a row was.',
    '',
    `| ${columns.join(' | ')} |`,
    `| ${columns.map(() => '---').join(' | ')} |`,
    ...rows.map((row) => `| ${row.join(' | ')} |`),
    '',
    '## Records',
    '',
    'What a record of each resource has, as far as it is promised (`?` where it may be missing or null); what is not named is there as well. `GET /v1/resources` has it as JSON Schema, of all providers. One that is otherwise is stored as it came, and named: [Records as you want them](record-mappings.md).',
    '',
    '| provider | resource | has |',
    '| --- | --- | --- |',
    ...[...PLAIN_PROVIDERS].sort(byName).flatMap(({ name, resources = [] }) => resources.map((each) => shapeRow(name, each))),
    '',
  ].join('\n');
}

const byName = (a: PlainProvider, b: PlainProvider) => a.name.localeCompare(b.name, 'en');

function shapeRow(provider: string, resource: NonNullable<PlainProvider['resources']>[number]): string {
  const fields = fieldsIn(z.toJSONSchema(plainShape(resource), { io: 'input' }) as Schema);
  return `| ${provider} | \`${resource.name}\` | ${fields.join(', ')} |`;
}

interface Schema {
  readonly type?: string | readonly string[];
  readonly anyOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
}

/** The fields of an object, those of the objects in it by their paths. */
function fieldsIn({ properties = {}, required = [] }: Schema, before = ''): string[] {
  return Object.entries(properties).flatMap(([name, schema]) => {
    const kinds = [schema, ...(schema.anyOf ?? [])].flatMap(({ type }) => type ?? []);
    const mayLack = !required.includes(name) || kinds.includes('null');
    const inner = schema.properties ? schema : schema.anyOf?.find(({ properties: of }) => of);
    const path = `${before}${name}${mayLack ? '?' : ''}`;
    return inner ? fieldsIn(inner, `${path}.`) : [`\`${path}\``];
  });
}

function rowOf({ name, docs, key, oauth2, apiKey, ask = {}, webhooks, resources = [], operations = [], checked }: PlainProvider): string[] {
  const signIn = oauth2 && wayOf(oauth2);
  const renewal = oauth2?.refresh ? ', refresh' : '';
  const ways = [signIn && `${signIn}${renewal}`, apiKey && 'key'].filter(Boolean).join('; ');
  const asked = Object.values(ask).map(({ label }) => label);
  const synced = resources.map(({ label }) => label.toLowerCase());
  return [
    `[${name}](${docs})`,
    `\`${key}\``,
    ways,
    asked.join(', '),
    webhooks?.scheme.kind ?? '',
    synced.join(', '),
    operations.map(({ title }) => title.toLowerCase()).join(', '),
    `${checked.at}: ${checked.against}`,
  ];
}

function wayOf({ grant, pkce, installation }: NonNullable<PlainProvider['oauth2']>): string {
  if (grant === 'client_credentials') return 'client credentials';
  if (grant === 'login') return 'sign-in call';
  if (installation) return 'installed app';
  return `OAuth 2.0${pkce ? ' with PKCE' : ''}`;
}
