import type { HeldTable } from '../connections';

export const MONITORING_TABLES: readonly HeldTable[] = [
  { table: 'alerts', connection: 'connection_id', tenant: 'tenant' },
  { table: 'figures', tenant: 'tenant' },
];
