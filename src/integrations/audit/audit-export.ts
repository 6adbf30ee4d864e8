import { Injectable } from '@nestjs/common';
import { AsyncLocalStorage } from 'node:async_hooks';
import { Readable } from 'node:stream';
import type { AuditEntryEntity } from './audit-entry.entity';
import { AuditLog, type AuditFilter } from './audit-log';

export const NDJSON = 'application/x-ndjson';
const PAGE = 1_000;

/** As an administrator reads it. */
export interface AuditEntryView {
  readonly id: string;
  readonly at: Date;
  readonly tenant: string;
  readonly actor: { readonly tenant: string; readonly userId: string; readonly role: string; readonly agent?: string };
  readonly action: string;
  readonly target: string;
  readonly outcome: string;
  readonly requestId: string | null;
  readonly ip: string | null;
}

/** All entries that a filter takes, to be kept elsewhere. */
@Injectable()
export class AuditExport {
  constructor(private readonly audit: AuditLog) {}

  /** A line of JSON for each, the newest first, read as fast as they are taken. */
  lines(filter: Omit<AuditFilter, 'limit'>): Readable {
    // A stream asks on when the request's own context is over: each page is read as whoever asked for it.
    return Readable.from(this.pages(filter, AsyncLocalStorage.snapshot()));
  }

  private async *pages(
    filter: Omit<AuditFilter, 'limit'>,
    asCaller: ReturnType<typeof AsyncLocalStorage.snapshot>,
  ): AsyncGenerator<string> {
    for (let before = filter.before; ;) {
      const page = await asCaller(() => this.audit.list({ ...filter, before, limit: PAGE }));
      if (page.length > 0) yield page.map((entry) => `${JSON.stringify(auditView(entry))}\n`).join('');
      before = page.at(-1)?.id;
      if (page.length < PAGE) return;
    }
  }
}

export function auditView(entry: AuditEntryEntity): AuditEntryView {
  const { id, at, tenant, action, target, outcome, requestId, ip } = entry;
  const actor = {
    tenant: entry.actorTenant,
    userId: entry.actorUser,
    role: entry.actorRole,
    ...(entry.actorAgent !== null && { agent: entry.actorAgent }),
  };
  return { id, at, tenant, actor, action, target, outcome, requestId, ip };
}
