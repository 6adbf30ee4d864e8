import { TENANT_OF_EVENT as TENANT } from '../tenant-of-event';
import { ERROR_SHAPE } from './error-shape';

/** As in the indexes `webhook_events_dead`, `webhook_events_failing` and those by organization. */
export const STATES = {
  dead: `e.status = 'dead'`,
  retrying: `e.status IN ('received', 'failed') AND e.attempts > 0`,
} as const;
/** Of each kind so many are looked at, however many kinds there are. */
const LEAST_OF_A_KIND = 20;

/** Of whom: of everybody, or of the organization `$2`. */
interface Whose {
  readonly only: string;
  /** The columns of the index before the time, and the same of a kind `k`. */
  readonly columns: string;
  readonly ofKind: string;
}
const EVERYBODY: Whose = { only: '', columns: 'e.provider, e.type', ofKind: 'k.provider, k.type' };
const ONE: Whose = { only: ` AND ${TENANT} = $2::text`, columns: `${TENANT}, e.provider, e.type`, ofKind: '$2::text, k.provider, k.type' };

/**
 * The newest of the kind `k`, in the order of the index: asked for as a range, as for equations a planner that takes the kind for a small one
 * reads and sorts all of it.
 */
const NEWEST_OF_KIND = `(e.provider, e.type) BETWEEN (k.provider, k.type) AND (k.provider, k.type) ORDER BY e.provider DESC, e.type DESC, e.received_at DESC`;

/** The kinds of which some are in the state, each with its oldest: one step in the index for each. */
const kindsIn = (state: keyof typeof STATES, { only, columns, ofKind }: Whose) => {
  const first = (after: string) =>
    `SELECT e.provider, e.type, e.received_at AS oldest FROM webhook_events e WHERE ${STATES[state]}${only}${after} ORDER BY ${columns}, e.received_at LIMIT 1`;
  return `${state}_kinds (provider, type, oldest) AS (
    (${first('')})
    UNION ALL
    SELECT n.provider, n.type, n.oldest FROM ${state}_kinds k CROSS JOIN LATERAL (${first(` AND (${columns}) > (${ofKind})`)}) n)`;
};

const newestIn = (state: keyof typeof STATES, whose: Whose) => `
  SELECT ${state === 'dead'} AS dead, k.oldest, n.*, count(*) OVER (PARTITION BY n.provider, n.type) = (SELECT most FROM share) AS more
  FROM ${state}_kinds k CROSS JOIN LATERAL (
    SELECT e.id, e.provider, e.type, e.tenant, e.connection_id, e.received_at, e.error_code, e.last_error FROM webhook_events e
    WHERE ${STATES[state]}${whose.only} AND ${NEWEST_OF_KIND} LIMIT (SELECT most FROM share)) n`;

/**
 * The newest events that failed, the same share for each kind: none is missed beside one of which there are a hundred thousand, and what is
 * read does not grow with them. $1 most. `more`: there may be others of the kind.
 */
const newest = (whose: Whose) => `WITH RECURSIVE ${kindsIn('dead', whose)}, ${kindsIn('retrying', whose)},
    share AS MATERIALIZED (
      SELECT greatest(${LEAST_OF_A_KIND}, $1::int / greatest(1, (SELECT count(*) FROM dead_kinds) + (SELECT count(*) FROM retrying_kinds))) AS most),
    seen AS MATERIALIZED (${newestIn('dead', whose)} UNION ALL ${newestIn('retrying', whose)})`;
const ALL = newest(EVERYBODY);
const OF_ONE = newest(ONE);

const SUMS = `count(*) FILTER (WHERE dead)::int AS dead, count(*) FILTER (WHERE NOT dead)::int AS retrying, count(DISTINCT tenant)::int AS tenants,
  count(DISTINCT connection_id)::int AS connections, coalesce(bool_or(more) FILTER (WHERE dead), false) AS "moreDead",
  coalesce(bool_or(more) FILTER (WHERE NOT dead), false) AS "moreRetrying"`;

export interface FailedSums {
  readonly dead: number;
  readonly retrying: number;
  readonly tenants: number;
  readonly connections: number;
  readonly moreDead: boolean;
  readonly moreRetrying: boolean;
}

export interface FailingRow extends FailedSums {
  readonly provider: string;
  readonly since: Date;
}

const BY_PROVIDER = `SELECT provider, ${SUMS}, min(oldest) AS since FROM seen GROUP BY provider`;
/** $1 read at most. */
export const FAILING = `${ALL} ${BY_PROVIDER}`;
/** The same of the organization $2. */
export const FAILING_OF_ONE = `${OF_ONE} ${BY_PROVIDER}`;

export interface FailedGroupRow extends FailedSums {
  readonly provider: string;
  readonly type: string;
  readonly error_code: string | null;
  readonly error: string | null;
  readonly since: Date;
  readonly last: Date;
  readonly example_id: string;
}

/** By kind and error. */
const groups = (most: string) => `
  SELECT provider, type, error_code, ${ERROR_SHAPE} AS error, ${SUMS}, min(received_at) AS since, max(received_at) AS last, max(id::text) AS example_id
  FROM seen GROUP BY provider, type, error_code, ${ERROR_SHAPE} ORDER BY count(*) DESC, max(received_at) DESC LIMIT ${most}`;
/** $1 read at most, $2 groups at most. */
export const FAILED_GROUPS = `${ALL} ${groups('$2')}`;
/** The same of the organization $2; $3 groups at most. */
export const FAILED_GROUPS_OF_ONE = `${OF_ONE} ${groups('$3')}`;
