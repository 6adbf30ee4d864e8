import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { asTenant } from '../../../database';

/** One outbound try, as `GET /v1/admin/requests` gives it. */
export interface LoggedRequest {
  id: string;
  at: string;
  provider: string;
  /** Null where the call was for no connection. */
  tenant: string | null;
  connectionId: string | null;
  method: string;
  endpoint: string;
  status: number | null;
  outcome: string;
  /** Ours; the provider's own is `providerCode`. */
  errorCode: string | null;
  providerCode: string | null;
  attempt: number;
  durationMs: number;
  requestId: string | null;
  operation: string | null;
}

export interface RequestLogFilter {
  id?: string;
  tenant?: string;
  provider?: string;
  connection?: string;
  /** Of one of these. */
  connections?: readonly string[];
  outcome?: string;
  operation?: string;
  /** ISO; `from` is within, `to` is not. */
  from?: string;
  to?: string;
  before?: { at: string; id: string };
  limit: number;
}

/** Reads the log of outbound requests, newest first. */
@Injectable()
export class RequestLogReader {
  constructor(private readonly dataSource: DataSource) {}

  async list(filter: RequestLogFilter): Promise<LoggedRequest[]> {
    const rows = await asTenant(this.dataSource, filter.tenant).query<Omit<LoggedRequest, 'at'> & { at: Date }>(
      `SELECT id, at, provider, tenant, connection_id AS "connectionId", method, endpoint, status, outcome, error_code AS "errorCode", provider_code AS "providerCode", attempt,
              duration_ms AS "durationMs", request_id AS "requestId", operation
       FROM request_log
       WHERE ($1::text IS NULL OR tenant = $1) AND ($2::text IS NULL OR provider = $2) AND ($3::uuid IS NULL OR connection_id = $3)
         AND ($4::text IS NULL OR outcome = $4) AND ($8::uuid[] IS NULL OR connection_id = ANY($8)) AND ($9::text IS NULL OR operation = $9)
         AND ($10::timestamptz IS NULL OR at >= $10) AND ($11::timestamptz IS NULL OR at < $11) AND ($12::uuid IS NULL OR id = $12)
          AND ($5::timestamptz IS NULL OR (at, id) < ($5::timestamptz, $6::uuid))
       ORDER BY at DESC, id DESC LIMIT $7`,
      [
        filter.tenant ?? null,
        filter.provider ?? null,
        filter.connection ?? null,
        filter.outcome ?? null,
        filter.before?.at ?? null,
        filter.before?.id ?? null,
        filter.limit,
        filter.connections ?? null,
        filter.operation ?? null,
        filter.from ?? null,
        filter.to ?? null,
        filter.id ?? null,
      ],
    );
    return rows.map((row) => ({ ...row, at: row.at.toISOString() }));
  }
}
