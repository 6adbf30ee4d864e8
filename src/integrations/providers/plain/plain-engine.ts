import type { ProviderSettings } from '../../../config/provider-settings';
import { IntegrationError } from '../../../errors';
import type { AskedFacts, OAuth2Facts, OAuthClient, Provider, ProviderAuth, WebhookFacts } from '../../contract';
import { isConsented } from '../minted';
import { filled, filledJson, isFilledBy, type Values } from './filled-address';
import { PlainAddresses } from './plain-addresses';
import { PlainAuthService } from './plain-auth.service';
import { plainHttp } from './plain-http';
import { plainInstallation } from './plain-installation';
import type { PlainProvider } from './plain-provider';
import { prefixOf, type PlainSettings } from './plain-settings';
import { PlainSyncService } from './plain-sync.service';
import { PlainWebhooksService } from './plain-webhooks.service';

/** RFC 6749, 5.2: what is the app's own fault. */
const CLIENT_FAULTS = ['invalid_client', 'unauthorized_client', 'invalid_request', 'unsupported_grant_type'];
const ANY_KEY = /^[\x21-\x7e]{4,1000}$/;
/** So many connections' addresses are held filled in; the rest are filled in anew. */
const MAX_RESOLVED = 1_000;

const OWN_CLIENT: Readonly<Record<string, AskedFacts>> = {
  clientId: { label: 'Client id', pattern: /^[\x21-\x7e]{1,500}$/, example: 'your-client-id', secret: true },
  clientSecret: { label: 'Client secret', pattern: /^[\x21-\x7e]{1,500}$/, example: 'your-client-secret', secret: true },
};

/** What the services of one provider are. */
export type PlainServices = Pick<Provider, 'auth' | 'sync' | 'webhooks'>;

/**
 * The auth, sync and webhooks services of a declaration; its own code takes their place.
 *
 * @param publicUrl origin under which the provider reaches us: on a free port it is known only once that is open
 */
export function plainServices(declaration: PlainProvider, own: PlainSettings, publicUrl: () => string): PlainServices {
  const { code = {}, resources, webhooks } = declaration;
  const addresses = new PlainAddresses(declaration, own);
  const auth: ProviderAuth = new PlainAuthService(declaration, own);
  const audience = { audience: own.webhookAudience, keysUrl: own.webhookKeysUrl };
  const received = (secrets: readonly string[]): WebhookFacts | undefined =>
    webhooks &&
    replaced<WebhookFacts>(new PlainWebhooksService(declaration, webhooks, { secrets, publicUrl, addresses, ...audience }), {
      ...code.webhooks,
      // Published keys are one set for all accounts, and watches have a secret each.
      ...(webhooks.scheme.kind !== 'jwks' && webhooks.scheme.kind !== 'watch' && { withSecrets: (others) => received(others)! }),
    });
  const clients = webhooks?.signedByClient && own.clientSecret ? [own.clientSecret] : [];
  const deliveries = received([...own.webhookSecrets, ...clients]);
  return {
    auth: replaced(auth, code.auth),
    ...((code.sync ?? resources) && { sync: code.sync ?? new PlainSyncService(declaration, own) }),
    ...(deliveries && { webhooks: deliveries }),
  };
}

/** @throws IntegrationError `destination_refused` from its `resolve`, for values that lead elsewhere */
export function plainProvider(declaration: PlainProvider, own: PlainSettings, publicUrl: () => string): Provider {
  const { key, name, apiKey, oauth2, operations = [] } = declaration;
  const addresses = new PlainAddresses(declaration, own);
  const signsIn = isConsented(oauth2);
  const byKey = declaration.app?.by === 'jwt';
  const ask = { ...(oauth2?.grant === 'client_credentials' ? OWN_CLIENT : {}), ...declaration.ask };
  const base: Omit<Provider, 'apiBaseUrl' | 'http'> = {
    key,
    name,
    // A key, or a client of one's own, needs nothing of this server; without a client id only signing in is missing.
    configured: !signsIn || Boolean(own.clientId && (byKey ? own.privateKey : true)),
    offered: own.offered ?? Boolean(own.clientId),
    ...(Object.keys(ask).length > 0 && { ask }),
    ...(apiKey && { apiKey: { pattern: apiKey.pattern ?? ANY_KEY, help: apiKey.help } }),
    ...(declaration.translations && { translations: declaration.translations }),
    ...plainServices(declaration, own, publicUrl),
    actions: operations.map((operation) => operation.name),
    ...appOf(declaration, own),
    ...(byKey && { mendedBy: { provider_misconfigured: `${prefixOf(key)}_PRIVATE_KEY` } }),
    ...(declaration.app && !declaration.apiBaseUrl.includes('{') && { takesApp: true }),
    // A client has an id and a secret, and the operator's private key is none of its. What the operator has set to verify with says nothing of
    // another app's deliveries.
    ...((signsIn || declaration.app) &&
      !byKey && {
        withClient: (client: OAuthClient) => plainProvider(declaration, { ...own, ...client, webhookSecrets: [] }, publicUrl),
      }),
  };
  const known = new Map<string, Provider>();
  const resolve = (values: Values): Provider => {
    const id = JSON.stringify(values);
    let provider = known.get(id);
    if (provider) return provider;
    provider = {
      ...base,
      apiBaseUrl: addresses.asFarAsKnown('apiBaseUrl', values) ?? '',
      ...(oauth2 && { oauth2: oauth2Facts(declaration, own, addresses, values) }),
      ...otherOrigins(declaration, own),
      http: plainHttp(declaration, own, values),
    };
    if (known.size >= MAX_RESOLVED) known.clear();
    known.set(id, provider);
    return provider;
  };
  const plain = resolve({});
  return addresses.isTemplate || declaration.ask || declaration.learn ? { ...plain, resolve } : plain;
}

function appOf({ app, headers = {} }: PlainProvider, { clientId, clientSecret, privateKey }: PlainSettings): Pick<Provider, 'app'> {
  if (!app || !clientId) return {};
  if (app.by === 'jwt') return privateKey ? { app: { by: app.by, clientId, privateKey } } : {};
  if (!clientSecret) return {};
  const fixed = Object.entries(headers).map(([name, value]) => [name, filled(value, { clientId })] as const);
  return { app: { by: app.by, clientId, clientSecret, headers: Object.fromEntries(fixed) } };
}

function oauth2Facts(declaration: PlainProvider, own: PlainSettings, addresses: PlainAddresses, values: Values): OAuth2Facts {
  const { oauth2, key } = declaration;
  if (!oauth2) throw new IntegrationError('not_supported', { provider: key });
  const { scopes = [], scopeSeparator = ' ', pkce = false, refusalCodes = [], clientFaultCodes = [], ...rest } = oauth2;
  const revokeUrl = addresses.asFarAsKnown('revokeUrl', values);
  const installation = plainInstallation(declaration, addresses);
  const { grant, issuer, clientAuth, tokenBody, authorizeParams } = rest;
  const tokenParams = rest.tokenParams && asFarAsFilled(rest.tokenParams, values);
  const told = {
    installation,
    grant,
    issuer,
    clientAuth,
    tokenBody,
    tokenParams,
    authorizeParams,
    revokeUrl,
    userinfoUrl: own.userinfoUrl,
  };
  return {
    clientId: own.clientId ?? '',
    clientSecret: own.clientSecret ?? '',
    authorizeUrl: addresses.asFarAsKnown('authorizeUrl', values) ?? '',
    tokenUrl: addresses.asFarAsKnown('tokenUrl', values) ?? '',
    scopes: own.scopes ?? scopes,
    scopeSeparator,
    pkce,
    refusalCodes: ['invalid_grant', ...refusalCodes],
    clientFaultCodes: [...CLIENT_FAULTS, ...clientFaultCodes],
    ...(rest.signIn && { signIn: (secrets) => signInBody(key, rest.signIn, { ...values, ...secrets }) }),
    ...(Object.fromEntries(Object.entries(told).filter(([, value]) => value !== undefined)) as Partial<OAuth2Facts>),
  };
}

/** Before the person has filled it in, a field is as it is declared: no token is asked for by then. */
function asFarAsFilled(fields: Readonly<Record<string, string>>, values: Values): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(fields).map(([name, text]) => [name, isFilledBy(text, values) ? filled(text, values) : text]));
}

function signInBody(key: string, template: unknown, values: Values): unknown {
  try {
    return filledJson(template, values);
  } catch {
    // What is asked for has changed since it was filled in.
    throw new IntegrationError('needs_reauth', { provider: key, notExecuted: true });
  }
}

/** Where the account is asked for, when that is not the API's own host. */
function otherOrigins({ account: { path = '' } }: PlainProvider, own: ProviderSettings): Pick<Provider, 'otherOrigins'> {
  const address = path.startsWith('https:') ? (own.userinfoUrl ?? path) : undefined;
  return address === undefined ? {} : { otherOrigins: [address] };
}

/** Methods of a class, some of them replaced. */
function replaced<T extends object>(service: T, by: Partial<T> | undefined): T {
  return by ? (Object.assign(Object.create(service) as T, by) as T) : service;
}
