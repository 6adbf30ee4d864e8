import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { rememberSettings, secretsOf } from '../redaction';
import { basePathOf, isPlainPath } from './base-path';
import { readLanguageFiles, type Catalogue } from '../languages';
import { readBrand, type Brand } from './brand';
import { databaseAddress } from './database-address';
import { folderFault } from './data-folder';
import { browserOriginFaults } from './browser-origins';
import { productionFaults } from './production-rules';
import { readProviderSettings, type Env, type ProviderSettings, type ProviderSettingsDeclaration } from './provider-settings';
import { SettingsError } from './settings-error';

export interface EncryptionKey {
  readonly id: string;
  /** 32 bytes. */
  readonly key: Buffer;
}

/** Everything that the environment decides, read once and validated together. */
export interface Settings {
  readonly production: boolean;
  readonly port: number;
  readonly host: string;
  /** Where browsers and providers reach this service: an origin, with the base path where there is one; no trailing slash. */
  readonly publicUrl: string;
  /** The path below which all addresses lie, e.g. `/integrations`; empty: at the root. */
  readonly basePath: string;
  /** The product's own page, for who has no session here, or is done. */
  readonly productUrl?: string;
  /** How the pages of the product's users look. */
  readonly brand: Brand;
  /** Languages of the operator's own, by tag; they change and add to those that come with Trestle. */
  readonly languageFiles: Readonly<Record<string, Catalogue>>;
  /** Absolute path of the folder for what the embedded default keeps. */
  readonly dataDir: string;
  readonly databaseUrl?: string;
  /** As whom migrations are applied, where it is not the role that the service runs as. */
  readonly migrationDatabaseUrl?: string;
  readonly databasePoolMax: number;
  readonly redisUrl?: string;
  /** The first is the primary: new secrets are encrypted with it. */
  readonly encryptionKeys: readonly EncryptionKey[];
  readonly apiJwtSecret?: string;
  readonly apiJwksUrl?: string;
  /** `iss` that a caller's token must have; unset: any. */
  readonly apiJwtIssuer?: string;
  /** `aud` that a caller's token must have; unset: any. */
  readonly apiJwtAudience?: string;
  /** Longest life of a caller's token, s. */
  readonly apiJwtMaxLifetimeS: number;
  /** Claims that hold the organization's id and the role. */
  readonly apiJwtTenantClaim: string;
  readonly apiJwtRoleClaim: string;
  /** Reads /metrics and nothing else. */
  readonly metricsToken?: string;
  /** Spans go to the collector of `OTEL_EXPORTER_OTLP_ENDPOINT`, under this name. Unset: nowhere. */
  readonly tracing?: { readonly serviceName: string };
  /** Origins that a browser may be sent back to. */
  readonly returnToOrigins: readonly string[];
  /** Origins of the product whose pages may hold browser tokens, and read what these open. */
  readonly browserOrigins: readonly string[];
  readonly logLevel: 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace' | 'silent';
  readonly sandbox: 'auto' | 'on' | 'off';
  /** The providers that it stands in for, where it is not for all. */
  readonly sandboxOnly?: readonly string[];
  /** True when the sandbox providers are to be started (decided from `sandbox`, credentials and NODE_ENV). */
  readonly useSandbox: boolean;
  /** Address of the sandbox's page, where this process has started it; no setting of the environment. */
  readonly sandboxPage?: string;
  /** Addresses or networks of reverse proxies whose `X-Forwarded-For` is believed; empty: nobody's. */
  readonly trustedProxies: readonly string[];
  /** Requests per second that one caller (or one address that is not signed in) may make for long. */
  readonly requestsPerSecond: number;
  /** Which of a provider's endpoints may be called through the proxy: those that its facts name, all, or none. */
  readonly proxy: 'declared' | 'any' | 'off';
  /** Keys of providers of which the proxy takes any endpoint, also where `proxy` is `declared`. */
  readonly proxyAnyFor: readonly string[];
  readonly metricsPublic: boolean;
  readonly docs: boolean;
  /** Whether there is a page at `/`. */
  readonly startPage: boolean;
  readonly webhookMaxBytes: number;
  /** Whether plain deliveries are answered before the framework. */
  readonly webhookFastPath: boolean;
  /** Unprocessed attempts before an event is dead. */
  readonly webhookMaxAttempts: number;
  /** Seconds between incremental syncs of one connection. */
  readonly syncIncrementalSeconds: number;
  /** Seconds between full syncs of one connection. */
  readonly syncFullSeconds: number;
  /** Whether this process answers callers, browsers and providers; without, it has health and metrics alone. */
  readonly serves: boolean;
  /** Whether cron, the sweeper and the workers run in this process. */
  readonly workers: boolean;
  /** Days that request logs and webhook payloads are kept. */
  readonly retentionDays: number;
  /** Days that an ended connection and its records are kept. */
  readonly endedConnectionDays: number;
  readonly alertSlackWebhookUrl?: string;
  readonly alertWebhookUrl?: string;
  readonly alertWebhookSecret?: string;
  /** By the provider's key; see `providerSettings`. */
  readonly providers: Readonly<Record<string, ProviderSettings>>;
}

export type { Env };

const list = z
  .string()
  .default('')
  .transform((value) =>
    value
      .split(',')
      .map((part) => part.trim())
      .filter(Boolean),
  );
const flag = z.enum(['true', 'false', '1', '0']).transform((value) => value === 'true' || value === '1');
const httpUrl = z.url({ protocol: /^https?$/, error: 'must be an http(s) URL' });
const publicAddress = httpUrl.refine(
  (text) => isPlainPath(basePathOf(text)) && !/[?#]/.test(text),
  'must be an origin, or one with a plain path (https://example.com/integrations)',
);
const hexColor = z
  .string()
  .regex(/^#[0-9a-fA-F]{6}$/, 'must be a color like #2456c9')
  .toLowerCase();
const address = (scheme: RegExp, form: string) =>
  z
    .string()
    .regex(scheme, `must start with ${form}`)
    .refine((text) => databaseAddress(text) !== undefined, 'is no address; write special characters of a password as %40 and the like');
const postgresUrl = address(/^postgres(ql)?:\/\//, 'postgres://');
const integer = (min: number, max: number) => z.coerce.number({ error: 'must be a number' }).int().min(min).max(max);

/** The settings that belong to no provider. */
export const environment = z.object({
  NODE_ENV: z.enum(['development', 'test', 'production'], { error: 'must be development, test or production' }).default('development'),
  PORT: integer(0, 65535).default(3000),
  HOST: z.string().default('127.0.0.1'),
  PUBLIC_URL: publicAddress.optional(),
  PRODUCT_URL: httpUrl.optional(),
  BRAND_NAME: z.string().trim().min(1).max(60, 'must be 60 characters at most').default('Trestle'),
  BRAND_LOGO: z.string().optional(),
  BRAND_COLOR: hexColor.optional(),
  BRAND_COLOR_DARK: hexColor.optional(),
  LANGUAGES_DIR: z.string().optional(),
  DATA_DIR: z.string().min(1).default('.data'),
  DATABASE_URL: postgresUrl.optional(),
  MIGRATION_DATABASE_URL: postgresUrl.optional(),
  DATABASE_TLS: z.enum(['on', 'off']).optional(),
  DATABASE_POOL_MAX: integer(2, 200).default(20),
  REDIS_URL: address(/^rediss?:\/\//, 'redis:// or rediss://').optional(),
  ENCRYPTION_KEYS: z.string().optional(),
  API_JWT_SECRET: z.string().min(32, 'must be at least 32 characters; `openssl rand -hex 32` makes one').optional(),
  API_JWKS_URL: httpUrl.optional(),
  API_JWT_ISSUER: z.string().min(1).optional(),
  API_JWT_AUDIENCE: z.string().min(1).optional(),
  API_JWT_MAX_LIFETIME: integer(60, 365 * 86400).default(86400),
  API_JWT_TENANT_CLAIM: z.string().min(1).default('tenant'),
  API_JWT_ROLE_CLAIM: z.string().min(1).default('role'),
  METRICS_TOKEN: z.string().min(32, 'must be at least 32 characters; `openssl rand -hex 32` makes one').optional(),
  RETURN_TO_ORIGINS: list,
  BROWSER_ORIGINS: list,
  LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
  SANDBOX: z
    .string()
    .regex(/^[a-z0-9-]+(\s*,\s*[a-z0-9-]+)*$/, 'must be auto, on, off, or the keys of providers (acme,other)')
    .default('auto'),
  TRUSTED_PROXIES: list,
  REQUESTS_PER_SECOND: integer(1, 1_000_000).default(200),
  PROXY: z.enum(['declared', 'any', 'off']).optional(),
  PROXY_ANY_FOR: list,
  METRICS_PUBLIC: flag.default(false),
  OTEL_EXPORTER_OTLP_ENDPOINT: z.url({ protocol: /^https?$/, error: 'must be an http(s) address' }).optional(),
  OTEL_SERVICE_NAME: z.string().min(1).default('trestle'),
  DOCS: flag.optional(),
  START_PAGE: flag.default(true),
  WEBHOOK_MAX_BYTES: integer(1024, 64 * 1024 * 1024).default(1024 * 1024),
  WEBHOOK_FAST_PATH: flag.default(true),
  WEBHOOK_MAX_ATTEMPTS: integer(1, 100).default(8),
  SYNC_INCREMENTAL_SECONDS: integer(10, 30 * 86400).default(15 * 60),
  SYNC_FULL_SECONDS: integer(60, 365 * 86400).default(7 * 86400),
  ROLE: z.enum(['all', 'api', 'worker'], { error: 'must be all, api or worker' }).default('all'),
  WORKERS: flag.default(true),
  RETENTION_DAYS: integer(1, 3650).default(30),
  ENDED_CONNECTION_DAYS: integer(1, 3650).default(90),
  ALERT_SLACK_WEBHOOK_URL: httpUrl.optional(),
  ALERT_WEBHOOK_URL: httpUrl.optional(),
  ALERT_WEBHOOK_SECRET: z
    .string()
    .regex(/^whsec_[A-Za-z0-9+/]{32,}={0,2}$/, 'must be whsec_ and base64; `echo "whsec_$(openssl rand -base64 32)"` makes one')
    .optional(),
});

/**
 * Reads and validates the settings, and those that the providers declare. Pure but for the secrets that it generates under `DATA_DIR` outside production.
 * @throws SettingsError with all faults listed together.
 */
export function loadSettings(env: Env, declarations: readonly ProviderSettingsDeclaration[]): Settings {
  const present = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value !== ''));
  const faults: string[] = [];
  const parsed = environment.safeParse(present);
  if (!parsed.success) faults.push(...parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`));
  const providers = Object.fromEntries(declarations.map((each) => [each.key, readProviderSettings(present, each, faults)]));
  if (!parsed.success) throw new SettingsError(faults);
  const e = parsed.data;
  const production = e.NODE_ENV === 'production';
  const dataDir = resolve(e.DATA_DIR);
  const anyCredentials = Object.values(providers).some(({ clientId, clientSecret }) => clientId ?? clientSecret);
  const { sandbox, sandboxOnly } = sandboxOf(e.SANDBOX);
  for (const name of sandboxOnly ?? [])
    if (declarations.length > 0 && !Object.hasOwn(providers, name)) faults.push(`SANDBOX: there is no provider "${name}"`);
  if (production && sandbox === 'on')
    faults.push('SANDBOX: the sandbox providers never run with NODE_ENV=production; remove SANDBOX or set it to off');
  const useSandbox = !production && (sandbox === 'on' || (sandbox === 'auto' && !anyCredentials));

  // In production a server holds everything, and nothing lies in the folder.
  const open = production && e.DATABASE_URL ? undefined : folderFault(dataDir);
  if (open) faults.push(open);
  const encryptionKeys = readEncryptionKeys(e.ENCRYPTION_KEYS, production, dataDir, faults);
  let apiJwtSecret = e.API_JWT_SECRET;
  if (!apiJwtSecret && !e.API_JWKS_URL) {
    if (production) faults.push('API_JWT_SECRET: needed in production (or API_JWKS_URL); `openssl rand -hex 32` makes one');
    else if (faults.length === 0) apiJwtSecret = generatedSecret(dataDir, 'api-jwt-secret', () => randomBytes(32).toString('hex'));
  }
  for (const key of e.PROXY_ANY_FOR) if (!Object.hasOwn(providers, key)) faults.push(`PROXY_ANY_FOR: there is no provider "${key}"`);
  if (production) faults.push(...productionFaults(e, providers));
  if (Boolean(e.REDIS_URL) && !e.DATABASE_URL)
    faults.push('REDIS_URL: needs DATABASE_URL as well; several processes cannot share the embedded database');
  if (e.ROLE !== 'all' && !e.DATABASE_URL)
    faults.push(`ROLE: the embedded database serves one process, which has to do all; remove ROLE=${e.ROLE}, or set DATABASE_URL`);
  if (e.ROLE === 'worker' && !e.WORKERS) faults.push('WORKERS: false leaves a process with ROLE=worker nothing to do; remove one of them');
  if (Boolean(e.MIGRATION_DATABASE_URL) && !e.DATABASE_URL)
    faults.push('MIGRATION_DATABASE_URL: needs DATABASE_URL as well, the address under which the service runs');
  const returnToOrigins = e.RETURN_TO_ORIGINS.map((origin) => originOf(origin, faults));
  faults.push(...browserOriginFaults(e.BROWSER_ORIGINS));
  const brand = readBrand(e, faults);
  const languageFiles = readLanguageFiles(e.LANGUAGES_DIR, faults);
  if (faults.length > 0) throw new SettingsError(faults);

  rememberSettings([...secretsOf(present), apiJwtSecret]);
  // With port 0 it is known once the port is bound: bound-address.ts.
  const publicUrl = (e.PUBLIC_URL ?? (e.PORT === 0 ? '' : `http://localhost:${e.PORT}`)).replace(/\/+$/, '');
  return {
    production,
    port: e.PORT,
    host: e.HOST,
    publicUrl,
    basePath: basePathOf(publicUrl),
    productUrl: e.PRODUCT_URL,
    brand,
    languageFiles,
    dataDir,
    databaseUrl: e.DATABASE_URL,
    migrationDatabaseUrl: e.MIGRATION_DATABASE_URL,
    databasePoolMax: e.DATABASE_POOL_MAX,
    redisUrl: e.REDIS_URL,
    encryptionKeys,
    apiJwtSecret,
    apiJwksUrl: e.API_JWKS_URL,
    apiJwtIssuer: e.API_JWT_ISSUER,
    apiJwtAudience: e.API_JWT_AUDIENCE,
    apiJwtMaxLifetimeS: e.API_JWT_MAX_LIFETIME,
    apiJwtTenantClaim: e.API_JWT_TENANT_CLAIM,
    apiJwtRoleClaim: e.API_JWT_ROLE_CLAIM,
    metricsToken: e.METRICS_TOKEN,
    ...(e.OTEL_EXPORTER_OTLP_ENDPOINT && { tracing: { serviceName: e.OTEL_SERVICE_NAME } }),
    returnToOrigins: [...(publicUrl ? [new URL(publicUrl).origin] : []), ...returnToOrigins],
    browserOrigins: e.BROWSER_ORIGINS,
    logLevel: e.LOG_LEVEL,
    sandbox,
    ...(sandboxOnly && { sandboxOnly }),
    useSandbox,
    trustedProxies: e.TRUSTED_PROXIES,
    requestsPerSecond: e.REQUESTS_PER_SECOND,
    proxy: e.PROXY ?? (production ? 'declared' : 'any'),
    proxyAnyFor: e.PROXY_ANY_FOR,
    metricsPublic: e.METRICS_PUBLIC,
    docs: e.DOCS ?? !production,
    startPage: e.START_PAGE,
    webhookMaxBytes: e.WEBHOOK_MAX_BYTES,
    webhookFastPath: e.WEBHOOK_FAST_PATH,
    webhookMaxAttempts: e.WEBHOOK_MAX_ATTEMPTS,
    syncIncrementalSeconds: e.SYNC_INCREMENTAL_SECONDS,
    syncFullSeconds: e.SYNC_FULL_SECONDS,
    serves: e.ROLE !== 'worker',
    workers: e.ROLE !== 'api' && e.WORKERS,
    retentionDays: e.RETENTION_DAYS,
    endedConnectionDays: e.ENDED_CONNECTION_DAYS,
    alertSlackWebhookUrl: e.ALERT_SLACK_WEBHOOK_URL,
    alertWebhookUrl: e.ALERT_WEBHOOK_URL,
    alertWebhookSecret: e.ALERT_WEBHOOK_SECRET,
    providers,
  };
}

/** `auto`, `on`, `off`, or the providers that it is on for, beside real ones. */
function sandboxOf(text: string): Pick<Settings, 'sandbox' | 'sandboxOnly'> {
  if (text === 'auto' || text === 'on' || text === 'off') return { sandbox: text };
  return { sandbox: 'on', sandboxOnly: text.split(',').map((name) => name.trim()) };
}

/**
 * The settings of this process: the only place that touches `process.env`. A command that calls no provider gives no declarations.
 * `overrides` win (the sandbox's addresses).
 */
export function readEnvironment(declarations: readonly ProviderSettingsDeclaration[], overrides: Env = {}): Settings {
  return loadSettings({ ...process.env, ...overrides }, declarations);
}

function readEncryptionKeys(value: string | undefined, production: boolean, dataDir: string, faults: string[]): EncryptionKey[] {
  const hint = 'write id:base64 of 32 random bytes, e.g. `echo "k1:$(openssl rand -base64 32)"`';
  let text = value;
  if (!text) {
    if (production) {
      faults.push(`ENCRYPTION_KEYS: needed in production; ${hint}`);
      return [];
    }
    if (faults.length > 0) return [];
    // Never inside the database's own folder: who copies that folder must not get the key with it.
    text = generatedSecret(dataDir, 'encryption-keys', () => `dev:${randomBytes(32).toString('base64')}`);
  }
  const keys: EncryptionKey[] = [];
  for (const [index, part] of text.split(',').entries()) {
    const [, id, encoded] = /^\s*([A-Za-z0-9_-]{1,32}):([A-Za-z0-9+/_-]+={0,2})\s*$/.exec(part) ?? [];
    const key = Buffer.from(encoded ?? '', 'base64');
    // The position, never the text: a fault is printed.
    if (!id) faults.push(`ENCRYPTION_KEYS: entry ${index + 1} is not of the form id:base64; ${hint}`);
    else if (key.length !== 32) faults.push(`ENCRYPTION_KEYS: key "${id}" has ${key.length} bytes, 32 are needed; ${hint}`);
    else if (key.every((byte) => byte === key[0])) faults.push(`ENCRYPTION_KEYS: key "${id}" is not random; ${hint}`);
    else if (keys.some((other) => other.id === id)) faults.push(`ENCRYPTION_KEYS: the id "${id}" stands twice`);
    else keys.push({ id, key });
  }
  return keys;
}

function generatedSecret(dataDir: string, name: string, make: () => string): string {
  const folder = join(dataDir, 'secrets');
  const path = join(folder, name);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  try {
    // `wx`: two processes that start at once agree on the first one's secret.
    writeFileSync(path, make(), { flag: 'wx', mode: 0o600 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  return readFileSync(path, 'utf8').trim();
}

function originOf(text: string, faults: string[]): string {
  const parsed = httpUrl.safeParse(text);
  if (parsed.success) return new URL(text).origin;
  faults.push(`RETURN_TO_ORIGINS: "${text}" is not an http(s) origin`);
  return '';
}
