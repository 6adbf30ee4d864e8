import ipaddr from 'ipaddr.js';
import { isIP } from 'node:net';
import { databaseAddress } from './database-address';
import type { ProviderSettings } from './provider-settings';

/** The settings that have rules of their own in production. */
export interface RuledSettings {
  readonly PUBLIC_URL?: string;
  readonly API_JWKS_URL?: string;
  readonly API_JWT_ISSUER?: string;
  readonly API_JWT_AUDIENCE?: string;
  readonly API_JWT_SECRET?: string;
  readonly METRICS_TOKEN?: string;
  readonly TRUSTED_PROXIES: readonly string[];
  readonly BROWSER_ORIGINS: readonly string[];
  readonly DATABASE_URL?: string;
  readonly MIGRATION_DATABASE_URL?: string;
  readonly DATABASE_TLS?: 'on' | 'off';
}

/** A random secret of 32 bytes, in hex or base64, has at least this many different characters. */
const MIN_DIFFERENT_CHARACTERS = 10;

const ADDRESSES = [
  ['authorizeUrl', 'AUTHORIZE_URL'],
  ['tokenUrl', 'TOKEN_URL'],
  ['revokeUrl', 'REVOKE_URL'],
  ['userinfoUrl', 'USERINFO_URL'],
  ['apiBaseUrl', 'API_BASE_URL'],
] as const;

/** What would be too weak for production, a sentence each. */
export function productionFaults(e: RuledSettings, providers: Readonly<Record<string, ProviderSettings>>): string[] {
  const faults: string[] = [];
  if (!e.PUBLIC_URL)
    faults.push('PUBLIC_URL: needed in production; the https address under which providers and browsers reach this service');
  else if (!isHttps(e.PUBLIC_URL)) faults.push('PUBLIC_URL: must be https in production; cookies and OAuth redirects travel over it');
  if (e.API_JWKS_URL && !isHttps(e.API_JWKS_URL))
    faults.push('API_JWKS_URL: must be https in production; whoever changes the keys signs in as anybody');
  if (e.API_JWKS_URL && !(e.API_JWT_ISSUER && e.API_JWT_AUDIENCE))
    faults.push(
      'API_JWT_ISSUER, API_JWT_AUDIENCE: both are needed with API_JWKS_URL in production; else any token of that key set opens this service',
    );
  for (const name of ['API_JWT_SECRET', 'METRICS_TOKEN'] as const)
    if (e[name] && !isRandom(e[name])) faults.push(`${name}: is not random; \`openssl rand -hex 32\` makes a good one`);
  for (const network of e.TRUSTED_PROXIES)
    if (trustsEverybody(network))
      faults.push(`TRUSTED_PROXIES: "${network}" trusts everybody's X-Forwarded-For; name the proxies' own addresses`);
  for (const origin of e.BROWSER_ORIGINS)
    if (origin.startsWith('http:'))
      faults.push(`BROWSER_ORIGINS: "${origin}" must be https in production; whoever sits on the way would put a script into its pages`);
  for (const name of ['DATABASE_URL', 'MIGRATION_DATABASE_URL'] as const) {
    const url = e[name];
    if (url && e.DATABASE_TLS !== 'off' && !isLocal(url) && !asksForTls(url))
      faults.push(
        `${name}: the database is on another host and the connection is not encrypted; add ?sslmode=verify-full (or set DATABASE_TLS=off where the network itself is protected)`,
      );
  }
  for (const [key, provider] of Object.entries(providers))
    for (const [name, variable] of ADDRESSES) {
      const address = provider[name];
      if (address && !isHttps(address)) faults.push(`${variableOf(key)}_${variable}: must be https in production; tokens travel over it`);
    }
  return faults;
}

function variableOf(key: string): string {
  return key.replace(/\W/g, '_').toUpperCase();
}

function isHttps(url: string): boolean {
  return new URL(url).protocol === 'https:';
}

function isRandom(secret: string): boolean {
  return new Set(secret).size >= MIN_DIFFERENT_CHARACTERS;
}

/** A network of more than sixteen million addresses holds no proxies of one's own. */
function trustsEverybody(network: string): boolean {
  const [address = '', bits] = network.split('/');
  if (isIP(address) === 0 || bits === undefined) return network === '*' || network === 'true';
  return Number(bits) < (ipaddr.parse(address).kind() === 'ipv4' ? 8 : 7);
}

function isLocal(databaseUrl: string): boolean {
  const address = databaseAddress(databaseUrl);
  const host = address?.searchParams.get('host') ?? address?.hostname ?? '';
  return host === '' || host === 'localhost' || host.startsWith('/') || host === '[::1]' || /^127\./.test(host);
}

function asksForTls(databaseUrl: string): boolean {
  const mode = databaseAddress(databaseUrl)?.searchParams.get('sslmode') ?? '';
  return ['require', 'verify-ca', 'verify-full'].includes(mode);
}
