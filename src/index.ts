/** Trestle as a module of somebody else's Nest application: what `import ... from 'trestle'` gives. */
import './require-node';
import 'reflect-metadata';

export { TrestleModule, type TrestleParts } from './trestle.module';
export { configureApp, listen } from './bootstrap';
export type { Clock } from './clock';
export type { Migration } from './config/data-source-options';
export { loadSettings, type Settings } from './config/env';
export type { ProviderSettingsDeclaration } from './config/provider-settings';
export { asService, asTenant, DATABASE, lockTenantRows, openEmbeddedPostgres, unlockTenantRows } from './database';
export { IntegrationError } from './errors';
export { drainAndClose } from './http-api/edge/drain';
export { EdgeAdapter } from './http-api/edge/edge-adapter';
export type { AsyncPrincipals, PrincipalResolver, ResolvedCaller } from './http-api/principal/principal-resolver';
export type { Principal, Role } from './http-api/principal/principal';
export * from './integrations';
export { PROVIDER_SETTINGS } from './providers';
