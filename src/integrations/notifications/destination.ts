import { IntegrationError } from '../../errors';
import type { RowOf } from '../../database';
import type { DestinationEntity, PauseReason } from './destination.entity';
import type { Match, OutboxEventType } from './outbox';

/** As `GET /v1/admin/destinations` gives it; its secrets are never shown again. */
export interface Destination {
  readonly id: string;
  readonly tenant: string;
  readonly name: string;
  readonly url: string;
  readonly events: readonly OutboxEventType[];
  /** `provider/type`, or a beginning and `*`; for `webhook.received`. Empty: all. */
  readonly webhookTypes: readonly string[];
  /** `all`: it hears of all organizations. */
  readonly scope: 'tenant' | 'all';
  /** Messages about the same object come in their order, each after the one before was taken or given up. */
  readonly ordered: boolean;
  /** The values that are taken at each path of a message; null: all. */
  readonly match: Match | null;
  readonly status: 'active' | 'paused';
  readonly pausedReason: PauseReason | null;
  readonly pausedAt: string | null;
  /** In a row. */
  readonly failures: number;
  readonly failingSince: string | null;
  readonly lastError: string | null;
  /** Secrets that sign now; more than one during a roll. */
  readonly secrets: number;
  /** Deliveries that wait. */
  readonly waiting: number;
  readonly createdAt: string;
  readonly updatedAt: string;
}

export interface DestinationInput {
  readonly name: string;
  readonly url: string;
  readonly events: readonly OutboxEventType[];
  readonly webhookTypes: readonly string[];
  readonly match: Match | null;
}

/** What stays as it was made: messages are numbered by it. */
export interface NewDestination extends DestinationInput {
  readonly scope: 'tenant' | 'all';
  readonly ordered: boolean;
}

/** A destination, with how many secrets sign for it and how many deliveries wait. */
export type DestinationRow = RowOf<DestinationEntity> & { secrets: number; waiting: number };

export function destinationOf(row: DestinationRow): Destination {
  return {
    id: row.id,
    tenant: row.tenant,
    name: row.name,
    url: row.url,
    events: row.events,
    webhookTypes: row.webhook_types,
    scope: row.scope,
    ordered: row.ordered,
    match: row.match,
    status: row.status,
    pausedReason: row.paused_reason,
    pausedAt: row.paused_at?.toISOString() ?? null,
    failures: row.failures,
    failingSince: row.failing_since?.toISOString() ?? null,
    lastError: row.last_error,
    secrets: row.secrets,
    waiting: row.waiting,
    createdAt: row.created_at.toISOString(),
    updatedAt: row.updated_at.toISOString(),
  };
}

export function destinationNotFound(): IntegrationError {
  return new IntegrationError('not_found', { detail: 'There is no such destination.' });
}
