/** Who did what: an entry for each act that api.md names, by whoever did it. */
export { AUDIT_ACTIONS, type AuditAction, type AuditedAct } from './audit-action';
export type { AuditEntryEntity as AuditEntry } from './audit-entry.entity';
export { AuditExport, NDJSON } from './audit-export';
export { AuditLog, currentActor, PROVIDER, type Actor, type AuditFilter } from './audit-log';
export { AuditAdminModule, AuditModule } from './audit.module';
export { makeMonthsOf } from './audit-partitions';
