import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { asStorageError, asTenant } from '../../../database';
import { HandlerRegistry } from '../processing/handler.registry';
import { QUEUE, QUEUE_OF_ONE, type QueueRow } from '../processing/waiting.queries';
import {
  FAILED_GROUPS,
  FAILED_GROUPS_OF_ONE,
  FAILING,
  FAILING_OF_ONE,
  type FailedGroupRow,
  type FailedSums,
  type FailingRow,
} from './failed-events.queries';

/** Figures of which no more was counted: there may be more. */
type AtLeast<Name extends string> = readonly Name[];

export interface QueueState {
  /** Events that wait, for their first run or for another one. */
  readonly depth: number;
  /** Of the one that has been due for longest; null where nothing is due. */
  readonly oldestAgeSeconds: number | null;
  readonly inFlight: number;
  /** Of the waiting ones, those that failed before. */
  readonly retrying: number;
  readonly dead: number;
  readonly atLeast: AtLeast<'depth' | 'oldestAgeSeconds' | 'inFlight' | 'retrying' | 'dead'>;
}

type FailedFigure = 'dead' | 'retrying' | 'tenants' | 'connections';

export interface FailingEvents {
  readonly provider: string;
  /** Failed before, and to be tried again. */
  readonly retrying: number;
  readonly dead: number;
  /** When the oldest of them came. */
  readonly since: Date;
  readonly tenants: number;
  readonly connections: number;
  readonly atLeast: AtLeast<FailedFigure>;
}

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
  readonly atLeast: AtLeast<FailedFigure | 'since'>;
}

/** How far is counted. */
const COUNTED_AT_MOST = 5_000;
/** Failed events that are read for whom they concern. */
const READ_AT_MOST = 4_000;
/** The same, where each one's error is cut to its shape. */
const GROUPED_AT_MOST = 2_000;

/**
 * How many events wait or failed, for administrators. Counted up to a bound, and what may be more says so: what it costs does not grow with
 * them, but where one organization has very many failed events of a kind, which are sorted. A tenant of undefined is an operator's: everybody's.
 */
@Injectable()
export class EventSums {
  constructor(
    private readonly dataSource: DataSource,
    private readonly handlers: HandlerRegistry,
  ) {}

  async queue(tenant?: string): Promise<QueueState> {
    const db = asTenant(this.dataSource, tenant);
    const [row] = await (
      tenant === undefined ? db.query<QueueRow>(QUEUE, [COUNTED_AT_MOST]) : db.query<QueueRow>(QUEUE_OF_ONE, [COUNTED_AT_MOST, tenant])
    ).catch(asStorage);
    const { olderMayBe, ...queue } = row as QueueRow;
    const bounded = (['depth', 'inFlight', 'retrying', 'dead'] as const).filter((name) => queue[name] >= COUNTED_AT_MOST);
    return { ...queue, atLeast: olderMayBe ? [...bounded, 'oldestAgeSeconds'] : bounded };
  }

  /** Per provider, those whose handlers have failed: that are tried again, and that were given up. */
  async failing(tenant?: string): Promise<FailingEvents[]> {
    const db = asTenant(this.dataSource, tenant);
    const rows = await (
      tenant === undefined ? db.query<FailingRow>(FAILING, [READ_AT_MOST]) : db.query<FailingRow>(FAILING_OF_ONE, [READ_AT_MOST, tenant])
    ).catch(asStorage);
    return rows.map(({ moreDead, moreRetrying, ...row }) => ({ ...row, atLeast: atLeastOf({ moreDead, moreRetrying }) }));
  }

  /** By kind and error, the largest first; of each kind the newest events. */
  async failedGroups(tenant: string | undefined, limit: number): Promise<FailedEventGroup[]> {
    const db = asTenant(this.dataSource, tenant);
    const rows = await (
      tenant === undefined
        ? db.query<FailedGroupRow>(FAILED_GROUPS, [GROUPED_AT_MOST, limit])
        : db.query<FailedGroupRow>(FAILED_GROUPS_OF_ONE, [GROUPED_AT_MOST, tenant, limit])
    ).catch(asStorage);
    return rows.map(({ error_code: errorCode, example_id: exampleId, since, last, moreDead, moreRetrying, ...row }) => {
      const atLeast = atLeastOf({ moreDead, moreRetrying });
      return {
        ...row,
        errorCode,
        exampleId,
        since: since.toISOString(),
        last: last.toISOString(),
        handlers: this.handlers.handlersOf(row.provider, row.type).map(({ name }) => name),
        atLeast: atLeast.length > 0 ? [...atLeast, 'since'] : [],
      };
    });
  }
}

function atLeastOf({ moreDead, moreRetrying }: Pick<FailedSums, 'moreDead' | 'moreRetrying'>): FailedFigure[] {
  if (!moreDead && !moreRetrying) return [];
  return [...(moreDead ? (['dead'] as const) : []), ...(moreRetrying ? (['retrying'] as const) : []), 'tenants', 'connections'];
}

function asStorage(error: unknown): never {
  throw asStorageError(error);
}
