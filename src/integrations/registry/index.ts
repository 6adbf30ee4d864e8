export { ProviderRegistry } from './provider-registry';
export { RegistryModule } from './registry.module';
