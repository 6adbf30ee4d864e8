import { Global, Module } from '@nestjs/common';
import { ProviderRegistry } from './provider-registry';

/** Which providers there are. Global: each provider's module registers itself, and every part of the core looks them up. */
@Global()
@Module({ providers: [ProviderRegistry], exports: [ProviderRegistry] })
export class ProviderRegistryModule {}
