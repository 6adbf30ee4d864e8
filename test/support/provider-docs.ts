import { PLAIN_PROVIDERS } from '../../src/providers';
import type { PlainProvider } from '../../src/integrations';

/** `docs/providers.md`, made of the declarations. */
export function providerDocs(): string {
  const rows = [...PLAIN_PROVIDERS].sort((a, b) => a.name.localeCompare(b.name, 'en')).map(rowOf);
  const columns = ['provider', 'key', 'connect', 'asks for', 'webhooks', 'syncs', 'operations', 'checked'];
  return [
    '# Plain providers',
    '',
    `${PLAIN_PROVIDERS.length} providers that are data: a file each in \`src/providers/plain\`. Generated from the declarations; \`UPDATE_DOCS=true npx jest test/plain-providers.docs.spec.ts\` writes it anew.`,
    '',
    'Settings are named by the key: `<KEY>_CLIENT_ID`, `<KEY>_CLIENT_SECRET`, `<KEY>_SCOPES`, `<KEY>_WEBHOOK_SECRET`, `<KEY>_OFFERED=true` (shows it on the pages; by default those with a client id are).',
    '"checked" says when the addresses of signing in were last compared, and with what; not every fact of a row was.',
    '',
    `| ${columns.join(' | ')} |`,
    `| ${columns.map(() => '---').join(' | ')} |`,
    ...rows.map((row) => `| ${row.join(' | ')} |`),
    '',
  ].join('\n');
}

function rowOf({ name, docs, key, oauth2, apiKey, ask = {}, webhooks, resources = [], operations = [], checked }: PlainProvider): string[] {
  const signIn = oauth2?.grant === 'client_credentials' ? 'client credentials' : oauth2 && `OAuth 2.0${oauth2.pkce ? ' with PKCE' : ''}`;
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
