import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { asStorageError, asTenant } from '../../../database';
import { HandlerRegistry } from '../processing/handler.registry';
import { ERROR_SHAPE } from './webhook-event.list';

/** Events that fail the same way: of one kind, with one error. */
export interface FailedEventGroup {
  readonly provider: string;
  readonly type: string;
  /** Who handles events of this kind. */
  readonly handlers: readonly string[];
  readonly errorCode: string | null;
  /** The error, `#` in place of each word that has a digit. */
  readonly error: string | null;
  /** Given up. */
  readonly dead: number;
  /** Tried again by themselves. */
  readonly retrying: number;
  readonly tenants: number;
  readonly connections: number;
  /** When the oldest and the newest of them came. */
  readonly since: string;
  readonly last: string;
  /** The newest of them. */
  readonly exampleId: string;
}

interface Row {
  provider: string;
  type: string;
  error_code: string | null;
  error: string | null;
  dead: number;
  retrying: number;
  tenants: number;
  connections: number;
  since: Date;
  last: Date;
  example_id: string;
}

/** What fails in the handlers of events, by kind and error. */
@Injectable()
export class FailedEvents {
  constructor(
    private readonly dataSource: DataSource,
    private readonly handlers: HandlerRegistry,
  ) {}

  /** The largest first. @param tenant undefined: of all, and of none */
  async groups(tenant: string | undefined, limit: number): Promise<FailedEventGroup[]> {
    const rows = await asTenant(this.dataSource, tenant)
      .query<Row>(
        `SELECT provider, type, error_code, ${ERROR_SHAPE} AS error, count(*) FILTER (WHERE status = 'dead')::int AS dead, count(*) FILTER (WHERE status <> 'dead')::int AS retrying,
           count(DISTINCT tenant)::int AS tenants, count(DISTINCT connection_id)::int AS connections, min(received_at) AS since, max(received_at) AS last, max(id::text) AS example_id
         FROM webhook_events WHERE (status = 'dead' OR (status IN ('received', 'failed') AND attempts > 0)) AND ($1::text IS NULL OR tenant = $1)
         GROUP BY provider, type, error_code, ${ERROR_SHAPE} ORDER BY count(*) DESC, max(received_at) DESC LIMIT $2`,
        [tenant ?? null, limit],
      )
      .catch((error: unknown) => {
        throw asStorageError(error);
      });
    return rows.map(({ error_code: errorCode, example_id: exampleId, since, last, ...row }) => ({
      ...row,
      errorCode,
      exampleId,
      since: since.toISOString(),
      last: last.toISOString(),
      handlers: this.handlers.handlersOf(row.provider, row.type).map(({ name }) => name),
    }));
  }
}
