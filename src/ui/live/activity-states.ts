import { Injectable } from '@nestjs/common';
import { AuditLog, RequestLogReader, SyncService } from '../../integrations';
import { PAGE_ROWS } from '../admin/list-query';

/** What the pages of runs, requests and acts of people are made of. */
@Injectable()
export class ActivityStates {
  constructor(
    private readonly syncs: SyncService,
    private readonly requestLog: RequestLogReader,
    private readonly auditLog: AuditLog,
  ) {}

  runs(tenant: string | undefined): Promise<unknown> {
    return this.syncs.list({ tenant, limit: PAGE_ROWS });
  }

  requests(tenant: string | undefined): Promise<unknown> {
    return this.requestLog.list({ tenant, limit: PAGE_ROWS });
  }

  audit(tenant: string | undefined): Promise<unknown> {
    return this.auditLog.list({ tenant, limit: PAGE_ROWS });
  }
}
