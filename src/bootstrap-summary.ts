import type { INestApplicationContext } from '@nestjs/common';
import type { Settings } from './config/env';
import { addressesToRegister, type Provider, ProviderRegistry } from './integrations';

/** What a person wants to know at the start, a line each. */
export function describeStart(app: INestApplicationContext, settings: Settings): string[] {
  const providers = app.get(ProviderRegistry).offered();
  const names = (list: typeof providers) => list.map(({ name }) => name).join(', ') || 'none';
  const deaf = providers.filter(({ configured, webhooks }) => configured && webhooks && !webhooks.configured);
  return [
    `Listening on ${settings.host}:${settings.port}; reached under ${settings.publicUrl}`,
    `This process ${settings.serves ? 'serves' : 'serves health and metrics only'} and ${settings.workers ? 'works' : 'works off nothing'}`,
    `Storage: ${settings.databaseUrl ? 'Postgres server' : `embedded Postgres in ${settings.dataDir}`}; queue: ${settings.redisUrl ? 'Redis' : 'in this process'}`,
    `Sandbox providers: ${settings.useSandbox ? `${settings.sandboxOnly?.join(', ') ?? 'on'} (pretend accounts, no real calls)` : 'off'}`,
    `Providers configured: ${names(providers.filter(({ configured }) => configured))}; not configured: ${names(providers.filter(({ configured }) => !configured))}`,
    ...providers
      .filter(({ configured, key }) => configured && !isPretended(key, settings))
      .map((provider) => toRegister(provider, settings)),
    ...deaf.map(({ name }) => `${name}: no webhook secret is set, so every delivery of it is refused with 401`),
  ];
}

function toRegister(provider: Provider, { publicUrl }: Settings): string {
  const { redirect, webhooks } = addressesToRegister(provider, publicUrl);
  const addresses = [redirect && `redirect address ${redirect}`, webhooks && `webhooks ${webhooks}`].filter(Boolean).join(', ');
  return `${provider.name}: ${addresses ? `register there: ${addresses}` : 'nothing is to be registered there'}`;
}

function isPretended(key: string, { useSandbox, sandboxOnly }: Settings): boolean {
  return useSandbox && (sandboxOnly?.includes(key) ?? true);
}
