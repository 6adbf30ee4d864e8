import { OperationRegistry, ProviderRegistry, type OAuth2Facts, type Operation, type Provider } from '../../src/integrations';
import { PLAIN_PROVIDERS } from '../../src/providers';
import type { TestApp } from './test-app';

const MARKS = ['<!-- providers -->', '<!-- /providers -->'] as const;

/** README.md with its table of providers as the running service has them: those with operations a row each, the rest counted. */
export function withProviders(readme: string, { app }: TestApp): string {
  const operations = app.get(OperationRegistry, { strict: false });
  const full = app
    .get(ProviderRegistry, { strict: false })
    .all()
    .map((provider) => ({ provider, own: operations.all(provider.key) }))
    .filter(({ own }) => own.length > 0);
  const rest = PLAIN_PROVIDERS.filter(({ key }) => !full.some(({ provider }) => provider.key === key)).length;
  const table = [
    '| provider | connect | syncs | webhooks | operations |',
    '| --- | --- | --- | --- | --- |',
    ...full.map(({ provider, own }) => rowOf(provider, own)),
    '| any of these | | | | a governed proxy to its own origin |',
    '',
    `${rest} more connect, and some of them sync and hear webhooks: [docs/providers.md](docs/providers.md) lists all that are data.`,
  ].join('\n');
  const [start, end] = MARKS.map((mark) => readme.indexOf(mark)) as [number, number];
  if (start < 0 || end < start) throw new Error(`README.md has no ${MARKS.join(' ... ')}.`);
  return `${readme.slice(0, start + MARKS[0].length)}\n\n${table}\n\n${readme.slice(end)}`;
}

function rowOf({ name, oauth2, apiKey, sync, webhooks }: Provider, own: readonly Operation[]): string {
  const connect = [oauth2 && wayOf(oauth2), apiKey && 'API key'].filter(Boolean).join(', ');
  const synced = (sync?.resources ?? []).map(({ label }) => label.toLowerCase()).join(', ');
  const done = own.map(({ title }) => title.toLowerCase()).join(', ');
  return `| ${[name, connect, synced, webhooks ? 'yes' : '', done].join(' | ')} |`;
}

function wayOf({ grant, pkce }: OAuth2Facts): string {
  if (grant === 'client_credentials') return 'client credentials';
  if (grant === 'login') return 'sign-in call';
  return pkce ? 'OAuth 2.0 with PKCE' : 'OAuth 2.0';
}
