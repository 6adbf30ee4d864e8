import { Global, Module } from '@nestjs/common';
import { ProviderRegistry } from './provider-registry';
import { ScopeNeeds } from './scope-needs';

/** Which providers there are, and what they need. Global: each provider's module registers itself, and every part of the core looks them up. */
@Global()
@Module({ providers: [ProviderRegistry, ScopeNeeds], exports: [ProviderRegistry, ScopeNeeds] })
export class ProviderRegistryModule {}
