import type { ProviderSettings } from '../../../config/provider-settings';
import type { ConnectionRef, EndpointFacts, HttpFacts, ProviderFault } from '../../contract';
import { textAt } from './at';
import { filled, type Values } from './filled-address';
import type { PlainCredential, PlainFault, PlainProvider } from './plain-provider';

type Credential = Parameters<NonNullable<HttpFacts['authorize']>>[1];

/** The way out of a declaration: its credential, limits and faults. */
export function plainHttp(declaration: PlainProvider, own: ProviderSettings, values: Values): HttpFacts {
  const { limits = {}, faults = [], retry, limitHeaders, endpoints = [] } = declaration;
  const declared = [
    ...grantEndpoints(declaration),
    ...verifyingEndpoints(declaration),
    ...endpoints,
    ...readEndpoints(declaration),
    ...operationEndpoints(declaration),
  ];
  return {
    endpoints: [
      ...grantEndpointsOf(own),
      ...declared.map((endpoint) => ({ ...endpoint, path: pathBelow(declaration, own, endpoint.path) })),
    ],
    limits,
    defaultLimits: Object.keys(limits).filter((name) => !endpoints.some((endpoint) => endpoint.limits?.includes(name))),
    ...(retry && { retry }),
    ...(limitHeaders && { limitHeaders }),
    authorize: (headers, credential) =>
      authorize(declaration, own, { headers, values: { ...values, ...credential.connection.metadata } }, credential),
    ...(faults.length > 0 && { readFault: (answer) => faultIn(faults, answer) }),
  };
}

/** Where the setting moves the API's base (an installation of one's own has `/api/v3/` before it all), its endpoints lie there. */
function pathBelow({ apiBaseUrl }: PlainProvider, own: Pick<ProviderSettings, 'apiBaseUrl'>, path: string): string {
  const base = pathOf(apiBaseUrl);
  if (own.apiBaseUrl === undefined || !path.startsWith(base)) return path;
  return pathOf(own.apiBaseUrl) + path.slice(base.length);
}

/** Token endpoints, wherever they lie: some are below the API's base. */
function grantEndpointsOf({ tokenUrl, revokeUrl }: { readonly tokenUrl?: string; readonly revokeUrl?: string }): EndpointFacts[] {
  const addresses = [tokenUrl, revokeUrl].filter((each) => each !== undefined);
  return [...new Set(addresses.map(pathOf))].map((path) => ({ path, proxy: 'never' as const }));
}

function grantEndpoints({ oauth2, apiBaseUrl }: PlainProvider): EndpointFacts[] {
  const { installation } = oauth2 ?? {};
  return [
    ...grantEndpointsOf(oauth2 ?? {}),
    // One token more ends none.
    ...(installation ? [{ path: pathOf(apiBaseUrl) + pathOf(installation.path), proxy: 'never' as const, repeatable: true }] : []),
  ];
}

/** Where the provider is asked whether a delivery is its own: it changes nothing. */
function verifyingEndpoints({ apiBaseUrl, webhooks }: PlainProvider): EndpointFacts[] {
  if (webhooks?.scheme.kind !== 'call') return [];
  return [{ method: 'POST', path: pathOf(apiBaseUrl) + pathOf(webhooks.scheme.path), repeatable: true }];
}

/** What the declaration reads is named by it: whose account it is, and the lists. A POST may do anything (GraphQL), so it names nothing. */
function readEndpoints({ apiBaseUrl, account, resources = [] }: PlainProvider): EndpointFacts[] {
  const base = pathOf(apiBaseUrl);
  const paths = [account, ...resources].flatMap(({ path, method = 'GET' }) => {
    if (path === undefined || method !== 'GET') return [];
    const below = path.startsWith(apiBaseUrl) ? path.slice(apiBaseUrl.length) : path;
    return /^(https:|\{\w+\})/.test(below) ? [] : [base + pathOf(below)];
  });
  return [...new Set(paths)].map((path) => ({ method: 'GET', path }));
}

/** What an operation calls is named by it; a path that many share (GraphQL's) names nothing. */
function operationEndpoints({ apiBaseUrl, operations = [] }: PlainProvider): EndpointFacts[] {
  const named = operations.filter(({ body }) => body?.with === undefined);
  return named.map(({ method, path, idempotent, repeat = 'none' }) => ({
    method,
    path: pathOf(apiBaseUrl) + pathOf(path),
    // Whatever the method promises: one that adds a comment is done twice when it is repeated.
    ...(!idempotent && repeat === 'none' && method !== 'GET' && { repeatable: false }),
  }));
}

/** Without origin and query; what is filled in later varies. */
function pathOf(address: string): string {
  const [path = ''] = address.replace(/^(https?:\/\/[^/]+|\{\w+\}(?=\/))/, '').split('?');
  return path.replace(/\{(\w+)\}/g, ':$1');
}

function authorize(
  declaration: PlainProvider,
  own: ProviderSettings,
  { headers, values }: { headers: Headers; values: Values },
  { accessToken, connection, url }: Credential,
): void {
  const { clientId = '' } = own;
  for (const [name, value] of Object.entries(declaration.headers ?? {})) headers.set(name, filled(value, { clientId, ...values }));
  const secrets = secretsOf(declaration, connection, accessToken);
  show(credentialOf(declaration, connection), { headers, url, values: { ...values, ...secrets } });
}

function show(credential: PlainCredential, { headers, url, values }: { headers: Headers; url: URL | undefined; values: Values }): void {
  const { name = 'authorization', prefix = '', user = '{key}', password = '' } = credential;
  for (const [header, value] of Object.entries(credential.headers ?? {})) headers.set(header, filled(value, values));
  const key = filled('{key}', values);
  switch (credential.in) {
    case 'bearer':
      return headers.set('authorization', `Bearer ${key}`);
    case 'header':
      return headers.set(name, `${prefix}${key}`);
    case 'basic':
      return headers.set('authorization', basic(filled(user, values), filled(password, values)));
    case 'query':
      url?.searchParams.set(name, key);
  }
}

const BEARER: PlainCredential = { in: 'bearer' };

function credentialOf({ oauth2, apiKey, credential = BEARER }: PlainProvider, { authType }: ConnectionRef): PlainCredential {
  return (authType === 'oauth2' ? oauth2?.credential : apiKey?.credential) ?? credential;
}

/** A key with further secret fields is stored as one text: JSON. */
function secretsOf({ ask = {} }: PlainProvider, { authType }: ConnectionRef, stored: string): Values {
  if (authType === 'oauth2' || !Object.values(ask).some(({ secret }) => secret)) return { key: stored };
  try {
    return JSON.parse(stored) as Values;
  } catch {
    return { key: stored };
  }
}

function basic(user: string, password: string): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
}

export function faultIn(
  faults: readonly PlainFault[],
  { status, headers, json }: { status: number; headers: Headers; json: unknown },
): ProviderFault | undefined {
  for (const fault of faults) {
    if (fault.status === undefined ? status >= 300 && fault.at === undefined : fault.status !== status) continue;
    const text = fault.at === undefined ? undefined : textAt(fault.at, { json, headers: Object.fromEntries(headers) });
    if (fault.at !== undefined && (text === undefined || (fault.is !== undefined && ![fault.is].flat().includes(text)))) continue;
    const { code, detail, tokenExpired, grantEnded } = fault;
    return {
      code,
      ...(text !== undefined && /^[\w.:-]{1,64}$/.test(text) && { providerCode: text }),
      ...(detail !== undefined && { detail }),
      ...(tokenExpired !== undefined && { tokenExpired }),
      ...(grantEnded !== undefined && { grantEnded }),
    };
  }
  return undefined;
}
