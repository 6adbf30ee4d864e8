/** The elements: importing this defines them. */
import { TrestleConnection } from './trestle-connection.ts';
import { TrestleIntegrations } from './trestle-integrations.ts';

for (const [name, element] of [
  ['trestle-connection', TrestleConnection],
  ['trestle-integrations', TrestleIntegrations],
] as const)
  if (!customElements.get(name)) customElements.define(name, element);

export { setUp } from './shared-clients.ts';
export { addLanguage, type Catalogue, type Word } from '../words.ts';
export { TrestleConnection, TrestleIntegrations };
