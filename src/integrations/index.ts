/** The only door into the core, for providers, pages and the product's own code. */
export * from './provider';
export { ProviderRegistry } from './registry/provider-registry';
