import { Injectable } from '@nestjs/common';
import { IntegrationError } from '../../errors';
import type { Provider } from '../contract';

/** Part of addresses and rows, so it is kept plain. */
const KEY = /^[a-z][a-z0-9-]{0,31}$/;

/** What providers there are. Each provider's module registers its own while Nest builds it, before any worker starts. */
@Injectable()
export class ProviderRegistry {
  private readonly providers = new Map<string, Provider>();

  /** @throws Error for a key that is taken or not plain: a fault of the program, seen at start. */
  register(provider: Provider): void {
    if (!KEY.test(provider.key)) throw new Error(`The provider key "${provider.key}" must be lower case letters, digits and hyphens.`);
    if (this.providers.has(provider.key)) throw new Error(`The provider "${provider.key}" is registered twice.`);
    this.providers.set(provider.key, provider);
  }

  /** @throws IntegrationError `provider_unknown` */
  get(key: string): Provider {
    const provider = this.providers.get(key);
    if (!provider) throw new IntegrationError('provider_unknown');
    return provider;
  }

  find(key: string): Provider | undefined {
    return this.providers.get(key);
  }

  /** As people write it; the key of one that there is no more. */
  nameOf(key: string): string {
    return this.providers.get(key)?.name ?? key;
  }

  /** Those that pages and health show unasked, in the order of their names. */
  offered(): Provider[] {
    return this.all().filter(({ offered = true }) => offered);
  }

  /** In the order of their names. */
  all(): Provider[] {
    return [...this.providers.values()].sort((a, b) => a.name.localeCompare(b.name, 'en'));
  }
}
