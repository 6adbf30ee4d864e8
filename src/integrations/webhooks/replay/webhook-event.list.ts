import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { asStorageError, asTenant, firstIdOf, type RowOf } from '../../../database';
import { IntegrationError } from '../../../errors';
import { StoredPayload } from '../stored-payload';
import { ProviderRegistry } from '../../providers';
import type { EventStatus, FailedAttempt, WebhookEventEntity } from '../webhook-event.entity';
import { ERROR_SHAPE } from './error-shape';
import { redacted } from './payload-redaction';

/** A stored event as administrators see it. */
export interface StoredEventView {
  readonly id: string;
  /** Null where it belongs to no organization. */
  readonly tenant: string | null;
  readonly provider: string;
  readonly eventId: string;
  readonly type: string;
  readonly status: EventStatus;
  readonly attempts: number;
  readonly connectionId: string | null;
  readonly receivedAt: string;
  readonly processedAt: string | null;
  readonly lastError: string | null;
}

export interface StoredEventDetail extends StoredEventView {
  readonly objectKey: string | null;
  readonly errorCode: string | null;
  readonly nextAttemptAt: string | null;
  /** The newest attempts that failed, the oldest of them first, those before a replay included. */
  readonly failures: readonly FailedAttempt[];
  readonly headers: Readonly<Record<string, string>>;
  /** Without what is secret or personal; null once its time is over, or where there was none. */
  readonly payload: unknown;
}

export interface EventFilter {
  /** Of these only; undefined: of all, those of no tenant included. */
  readonly tenant?: string;
  readonly provider?: string;
  /** Of one of these, where the event's id is given and the provider is not: the index of ids begins with it. */
  readonly providers?: readonly string[];
  /** Exact, or a beginning that ends with `*`. */
  readonly type?: string;
  /** The type is meant as it is, an asterisk at its end too. */
  readonly typeIsExact?: boolean;
  readonly status?: EventStatus;
  /** As the groups of failed events have it: `#` in place of each word that has a digit. */
  readonly error?: string;
  /** Exact, or a beginning that ends with `*`. */
  readonly eventId?: string;
  /** Of any of these groups of failed events. */
  readonly groups?: readonly EventFilter[];
  /** The name of a handler, and the kinds that it handles: of any of these. */
  readonly handler?: string;
  readonly kinds?: readonly EventFilter[];
  readonly connectionId?: string;
  /** Of one of these. */
  readonly connectionIds?: readonly string[];
  readonly receivedFrom?: string;
  readonly receivedTo?: string;
}

/** Where a page ended. */
export interface EventPosition {
  readonly id: string;
}

type Row = Pick<
  RowOf<WebhookEventEntity>,
  | 'id'
  | 'tenant'
  | 'provider'
  | 'event_id'
  | 'type'
  | 'status'
  | 'attempts'
  | 'connection_id'
  | 'received_at'
  | 'processed_at'
  | 'last_error'
>;

type DetailRow = Row &
  Pick<RowOf<WebhookEventEntity>, 'object_key' | 'error_code' | 'next_attempt_at' | 'failures'> & {
    headers: Record<string, string> | null;
    body: Buffer | null;
  };

const MOST_OF_A_PROVIDER_ID = 20;
/** By how much the clock that made an id may differ from the database's. */
const CLOCKS_APART_MS = 60 * 60_000;
/** Those that have an error, as their indexes have it. */
const FAILED = `(status = 'dead' OR (status IN ('received', 'failed') AND attempts > 0))`;
const COLUMNS = 'id, tenant, provider, event_id, type, status, attempts, connection_id, received_at, processed_at, last_error';

/** Reads the inbox for administrators. */
@Injectable()
export class WebhookEventList {
  constructor(
    private readonly dataSource: DataSource,
    private readonly registry: ProviderRegistry,
  ) {}

  /** Newest first: the ids are in the order of time. */
  async list(filter: EventFilter, limit: number, before?: EventPosition): Promise<StoredEventView[]> {
    const { sql, params } = conditionsOf({ ...filter, providers: this.registry.all().map(({ key }) => key) });
    const page = before ? ` AND id < $${params.push(before.id)}::uuid` : '';
    const rows = await this.read<Row>(
      filter.tenant,
      `SELECT ${COLUMNS} FROM webhook_events WHERE ${sql}${page} ORDER BY id DESC LIMIT $${params.push(limit)}`,
      params,
    );
    return rows.map(viewOf);
  }

  /** @throws IntegrationError `not_found` */
  async find(id: string, tenant?: string): Promise<StoredEventDetail> {
    const [visible] = await this.read(tenant, 'SELECT 1 FROM webhook_events WHERE id = $1', [id]);
    if (!visible) throw new IntegrationError('not_found');
    // the payload may be shared with events of others: read by ourselves
    const [row] = await this.read<DetailRow>(
      undefined,
      `SELECT ${COLUMNS}, object_key, error_code, next_attempt_at, failures, p.headers, p.body
       FROM webhook_events LEFT JOIN (SELECT id AS payload_id, headers, body FROM webhook_payloads) p USING (payload_id)
       WHERE id = $1 AND ($2::text IS NULL OR tenant = $2)`,
      [id, tenant ?? null],
    );
    if (!row) throw new IntegrationError('not_found');
    const payload = new StoredPayload(row.headers ?? {}, row.body);
    return {
      ...viewOf(row),
      objectKey: row.object_key,
      errorCode: row.error_code,
      nextAttemptAt: row.status === 'received' || row.status === 'failed' ? row.next_attempt_at.toISOString() : null,
      failures: (row.failures ?? []).map((failure) => ({ ...failure, at: new Date(failure.at).toISOString() })),
      headers: payload.headers,
      payload: redacted(payload.value) ?? null,
    };
  }

  /** Those that the provider calls so: one for each connection that it came for. */
  async ofProviderId(eventId: string, providers: readonly string[], tenant?: string): Promise<StoredEventView[]> {
    const rows = await this.read<Row>(
      tenant,
      `SELECT ${COLUMNS} FROM webhook_events WHERE provider = ANY($1) AND event_id = $2 AND ($3::text IS NULL OR tenant = $3) ORDER BY id DESC LIMIT $4`,
      [providers, eventId, tenant ?? null, MOST_OF_A_PROVIDER_ID],
    );
    return rows.map(viewOf);
  }

  private async read<T extends object>(tenant: string | undefined, sql: string, params: readonly unknown[]): Promise<T[]> {
    try {
      return await asTenant(this.dataSource, tenant).query<T>(sql, [...params]);
    } catch (error) {
      throw asStorageError(error);
    }
  }
}

/** The filter as SQL, with parameters from $1 on. */
export function conditionsOf(filter: EventFilter): { sql: string; params: unknown[] } {
  const params: unknown[] = [];
  return { sql: conditionInto(params, filter), params };
}

function conditionInto(params: unknown[], filter: EventFilter): string {
  const conditions = ['true'];
  const add = (value: unknown, condition: (place: string) => string) => {
    if (value !== undefined) conditions.push(condition(`$${params.push(value)}`));
  };
  const addText = (column: string, text: string | undefined) =>
    text?.endsWith('*') ? add(text.slice(0, -1), (p) => `starts_with(${column}, ${p})`) : add(text, (p) => `${column} = ${p}`);
  add(filter.tenant, (p) => `tenant = ${p}`);
  add(filter.provider, (p) => `provider = ${p}`);
  if (filter.provider === undefined && filter.eventId && !filter.eventId.endsWith('*'))
    add(filter.providers, (p) => `provider = ANY(${p})`);
  if (filter.typeIsExact) add(filter.type, (p) => `type = ${p}`);
  else addText('type', filter.type);
  add(filter.error, (p) => `${FAILED} AND ${ERROR_SHAPE} = ${p}`);
  add(filter.status, (p) => `status = ${p}`);
  addText('event_id', filter.eventId);
  add(filter.connectionId, (p) => `connection_id = ${p}::uuid`);
  add(filter.connectionIds, (p) => `connection_id = ANY(${p}::uuid[])`);
  add(filter.receivedFrom, (p) => `received_at >= ${p}::timestamptz`);
  add(filter.receivedTo, (p) => `received_at < ${p}::timestamptz`);
  // The same by the id, which is what the list is in the order of.
  add(filter.receivedFrom && firstIdOf(Date.parse(filter.receivedFrom) - CLOCKS_APART_MS), (p) => `id >= ${p}::uuid`);
  add(filter.receivedTo && firstIdOf(Date.parse(filter.receivedTo) + CLOCKS_APART_MS), (p) => `id < ${p}::uuid`);
  for (const any of [filter.groups, filter.kinds])
    if (any) conditions.push(any.length === 0 ? 'false' : `(${any.map((each) => conditionInto(params, each)).join(' OR ')})`);
  return `(${conditions.join(' AND ')})`;
}

function viewOf(row: Row): StoredEventView {
  return {
    id: row.id,
    tenant: row.tenant,
    provider: row.provider,
    eventId: row.event_id,
    type: row.type,
    status: row.status,
    attempts: row.attempts,
    connectionId: row.connection_id,
    receivedAt: row.received_at.toISOString(),
    processedAt: row.processed_at?.toISOString() ?? null,
    lastError: row.last_error,
  };
}
