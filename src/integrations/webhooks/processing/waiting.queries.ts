import { TENANT_OF_EVENT as TENANT } from '../tenant-of-event';

/**
 * What waits, whoever asks: counted up to a bound, so that asking costs the same beside ten events and beside a million. An order that an index
 * has is asked for, as a bound alone would have the table read from its beginning.
 */
export const PENDING = `e.status IN ('received', 'failed')`;
/** Organizations whose oldest event is looked for: each is one step in the index. */
const MOST_TENANTS = 1_000;

/** As a bound that it does not know, the planner reads in the order of the index: for a number it may read and sort all of it. */
const upTo = (most: string, condition: string, order: string) =>
  `(SELECT count(*)::int FROM (SELECT 1 FROM webhook_events e WHERE ${condition} ORDER BY ${order} LIMIT (SELECT ${most}::int)) w)`;

const DEPTH = (most: string, whose: string) => upTo(most, `${PENDING}${whose}`, `${TENANT}, e.next_attempt_at, e.id`);

/** The event that comes first of each organization that has one waiting. */
const FIRST_DUE = `
  first_due (tenant, next_attempt_at) AS (
    (SELECT ${TENANT}, e.next_attempt_at FROM webhook_events e WHERE ${PENDING} ORDER BY ${TENANT}, e.next_attempt_at LIMIT 1)
    UNION ALL
    SELECT n.tenant, n.next_attempt_at FROM first_due f CROSS JOIN LATERAL (
      SELECT ${TENANT} AS tenant, e.next_attempt_at FROM webhook_events e WHERE ${PENDING} AND ${TENANT} > f.tenant
      ORDER BY ${TENANT}, e.next_attempt_at LIMIT 1) n),
  seen AS MATERIALIZED (SELECT next_attempt_at FROM first_due LIMIT ${MOST_TENANTS})`;

/** The same of one organization, `$2`. */
const FIRST_DUE_OF_ONE = `
  seen AS MATERIALIZED (
    SELECT e.next_attempt_at FROM webhook_events e WHERE ${PENDING} AND ${TENANT} = $2::text
    ORDER BY ${TENANT}, e.next_attempt_at, e.id LIMIT 1)`;

const OLDEST = `(SELECT extract(epoch FROM now() - min(next_attempt_at))::float8 FROM seen WHERE next_attempt_at <= now())`;

/** For the metrics: what waits, and for how long. $1 counted at most. */
export const EVENTS_WAITING = `WITH RECURSIVE ${FIRST_DUE} 
  SELECT (SELECT count(*)::int FROM (SELECT 1 FROM webhook_events e WHERE ${PENDING} LIMIT $1) w) AS count, ${OLDEST} AS oldest`;

/** No figure is greater than the `$1` of its statement. */
export interface QueueRow {
  readonly depth: number;
  readonly oldestAgeSeconds: number | null;
  /** Organizations were left out, so there may be an older one. */
  readonly olderMayBe: boolean;
  readonly inFlight: number;
  readonly retrying: number;
  readonly dead: number;
}

const queueOf = (firstDue: string, whose: string, byTenant: string) => `WITH RECURSIVE ${firstDue}
  SELECT ${DEPTH('$1', whose)} AS depth, ${OLDEST} AS "oldestAgeSeconds", (SELECT count(*) >= ${MOST_TENANTS} FROM seen) AS "olderMayBe",
    ${upTo('$1', `e.status = 'processing'${whose}`, 'e.lease_until')} AS "inFlight",
    ${upTo('$1', `${PENDING} AND e.attempts > 0${whose}`, `${byTenant}e.provider, e.type, e.received_at`)} AS retrying,
    ${upTo('$1', `e.status = 'dead'${whose}`, `${byTenant}e.provider, e.type, e.received_at`)} AS dead`;

/** $1 counted at most of each. */
export const QUEUE = queueOf(FIRST_DUE, '', '');
/** The same of the organization $2. */
export const QUEUE_OF_ONE = queueOf(FIRST_DUE_OF_ONE, ` AND ${TENANT} = $2::text`, `${TENANT}, `);
