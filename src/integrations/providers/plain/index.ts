export type { At, AskedField, PlainProvider, PlainResource, PlainWebhooks } from './plain-provider';
export { plainProvider, plainServices } from './plain-engine';
export { plainSettings, prefixOf, type PlainSettings } from './plain-settings';
export { PlainProvidersModule } from './plain-providers.module';
