export { pointed } from '../pointed';
export { PlainAddresses } from './plain-addresses';
export type { At, AskedField, PlainExtent, PlainOperation, PlainProvider, PlainResource, PlainWebhooks } from './plain-provider';
export { plainProvider, plainServices } from './plain-engine';
export { plainSettings, prefixOf, type PlainSettings } from './plain-settings';
export { PlainProvidersModule } from './plain-providers.module';
