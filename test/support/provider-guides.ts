import { DiscoveryService } from '@nestjs/core';
import type { ProviderSettingsDeclaration } from '../../src/config/provider-settings';
import { addressesToRegister, ProviderRegistry, plainSettings, type PlainProvider, type SignatureScheme } from '../../src/integrations';
import { prefixOf } from '../../src/integrations/providers/plain/plain-settings';
import { subscriptionsOf } from '../../src/integrations/webhooks/processing/on-webhook.decorator';
import { PLAIN_PROVIDERS, PROVIDERS } from '../../src/providers';
import type { TestApp } from './test-app';

const MARKS = ['<!-- facts -->', '<!-- /facts -->'] as const;
/** Stands in the guides for where the service is reached. */
const PUBLIC_URL = 'https://integrations.example.com';
/** Types that Trestle gives itself, and Stripe's thin twins of whole events: nothing that is chosen in a list at the provider. */
const NOT_CHOSEN = /^trestle|^v1\.|\//;

/** The guide of a provider that has code, with what is known of it between the marks. */
export function withFacts(guide: string, key: string, { app }: TestApp): string {
  const [start, end] = MARKS.map((mark) => guide.indexOf(mark)) as [number, number];
  if (start < 0 || end < start) throw new Error(`The guide has no ${MARKS.join(' ... ')}.`);
  const provider = app.get(ProviderRegistry, { strict: false }).get(key);
  const declaration = PROVIDERS.find(({ settings }) => settings.key === key)?.settings;
  const { scopes = [], scopeWords = {} } = provider.oauth2 ?? {};
  const facts = [
    '| enter at the provider | address |',
    '| --- | --- |',
    ...addressRows(provider),
    '',
    '| scope that is asked for | allows to |',
    '| --- | --- |',
    ...scopes.map((scope) => `| \`${scope}\` | ${scopeWords[scope] ?? ''} |`),
    '',
    `Events that something is done with: ${eventsOf(key, app).join(', ')}. Others are stored, shown to administrators and handed on to your product.`,
    '',
    `Settings: ${variablesOf(declaration).join(', ')}.`,
  ].join('\n');
  return `${guide.slice(0, start + MARKS[0].length)}\n\n${facts}\n\n${guide.slice(end)}`;
}

/** `docs/providers/others.md`: what there is to register for each provider that is data. */
export function otherGuides(): string {
  return [
    '# Setting up the other providers',
    '',
    'Generated from the declarations (`UPDATE_DOCS=true npx jest test/plain-providers.docs.spec.ts`). Register an app at the provider, enter these addresses there (with your own `PUBLIC_URL`), set the variables, start anew: the start and the admin page of the provider say the addresses once more. Scopes can be widened or narrowed by `<KEY>_SCOPES`.',
    '',
    ...[...PLAIN_PROVIDERS].sort((a, b) => a.name.localeCompare(b.name, 'en')).flatMap(guideOf),
  ].join('\n');
}

/** Where a delivery carries its proof. */
function signatureHeader(scheme: SignatureScheme): string | undefined {
  if (scheme.kind === 'watch') return undefined;
  if (scheme.kind === 'standard') return `${scheme.prefix ?? 'webhook'}-signature`;
  return scheme.header ?? 'authorization';
}

function guideOf(provider: PlainProvider): string[] {
  const { name, docs, oauth2, apiKey, webhooks, key } = provider;
  const addresses = addressesToRegister({ key, oauth2, webhooks }, PUBLIC_URL);
  const scopes = (oauth2?.scopes ?? []).map((scope) => `\`${scope}\``);
  const header = webhooks && signatureHeader(webhooks.scheme);
  return [
    `## ${name}`,
    '',
    `[${name}'s own page](${docs}).`,
    '',
    ...(addresses.redirect ? [`- Redirect address: \`${addresses.redirect}\``] : []),
    ...(scopes.length > 0 ? [`- Scopes: ${scopes.join(', ')}`] : []),
    ...(apiKey ? [`- Or with a key: ${apiKey.help}`] : []),
    ...(webhooks ? [webhooksOf(provider, addresses.webhooks, header)] : []),
    ...(oauth2?.installation
      ? [
          `- An app that accounts install: ${oauth2.installation.setup}`,
          `- Its key: \`${prefixOf(key)}_PRIVATE_KEY\` is the RSA private key that the app was given, as PEM (its line breaks may be written \`\\n\`) or as the base64 of that`,
        ]
      : []),
    ...(provider.app ? [appOf(provider)] : []),
    ...(provider.noEvents === undefined ? [] : [`- No webhooks: ${provider.noEvents} Its changes are found by the schedule.`]),
    `- Settings: ${variablesOf(plainSettings(provider)).join(', ') || 'none'}`,
    '',
  ];
}

function webhooksOf({ webhooks, resources = [] }: PlainProvider, address: string | undefined, header: string | undefined): string {
  const verified =
    header === undefined ? 'verified by a token of each subscription' : `verified by \`${header}\` (${webhooks?.scheme.kind})`;
  const asked = resources.filter(({ watch }) => watch).map(({ label }) => label.toLowerCase());
  const made = asked.length > 0 ? `; the service asks for those of ${asked.join(', ')} itself, and goes on asking before it ends` : '';
  return `- Webhooks: \`${address}\`, ${verified}${made}`;
}

const SHOWN: Readonly<Record<NonNullable<PlainProvider['app']>['by'], string>> = {
  basic: 'its id and secret',
  client_credentials: 'a token of its own (client credentials)',
  jwt: 'what it signs; for operators alone',
};

function appOf({ key, app }: PlainProvider): string {
  const shown = app && SHOWN[app.by];
  return `- As the app itself: \`/v1/admin/providers/${key}/app/proxy/...\`, with ${shown}`;
}

function addressRows(provider: Parameters<typeof addressesToRegister>[0]): string[] {
  const { redirect, webhooks } = addressesToRegister(provider, PUBLIC_URL);
  return [redirect && `| redirect address | \`${redirect}\` |`, webhooks && `| webhooks | \`${webhooks}\` |`].filter(
    (row) => row !== undefined,
  );
}

/** What an operator sets; the addresses of another provider than the real one are for tests. */
function variablesOf(declaration: ProviderSettingsDeclaration | undefined): string[] {
  const names = Object.keys(declaration?.variables ?? {});
  return names
    .filter((name) => !/_(AUTHORIZE_URL|TOKEN_URL|REVOKE_URL|USERINFO_URL|API_BASE_URL|JWKS_URL)$/.test(name))
    .map((name) => `\`${name}\``);
}

function eventsOf(key: string, app: TestApp['app']): string[] {
  const classes = app.get(DiscoveryService, { strict: false }).getProviders();
  const types = classes
    .flatMap(({ metatype }) => (typeof metatype === 'function' ? subscriptionsOf(metatype) : []))
    .filter(({ provider }) => provider === key)
    .flatMap((subscription) => subscription.types)
    .filter((type) => !NOT_CHOSEN.test(type));
  return [...new Set(types)].sort().map((type) => `\`${type}\``);
}
