import { STATES } from './replay/failed-events.queries';
import { TENANT_OF_EVENT as TENANT } from './tenant-of-event';

/** Of a finding no more events are counted: its look costs the same, however many failed. */
export const FOUND_AT_MOST = 200;
const FIRST_DEAD = `SELECT ${TENANT} AS tenant, e.provider, e.type AS about FROM webhook_events e WHERE ${STATES.dead}`;
/** As in the index `webhook_events_handler_failed`. */
const FIRST_FAILED = `SELECT e.provider, e.type FROM webhook_events e WHERE e.status = 'failed' AND e.error_code = 'webhook_handler_failed'`;
const BY_KIND = 'ORDER BY e.provider, e.type';
const IN_ORDER = `ORDER BY ${TENANT}, e.provider, e.type LIMIT 1`;

/**
 * What monitoring finds in the rows of this folder, with the columns of `Finding`. Events that were given up, by provider and organization: these
 * are found one after another in the index.
 */
export const DEAD_EVENTS = `
  WITH RECURSIVE whose (tenant, provider, about) AS (
    (${FIRST_DEAD} ${IN_ORDER})
    UNION ALL
    SELECT n.tenant, n.provider, n.about FROM whose w CROSS JOIN LATERAL (${FIRST_DEAD} AND (${TENANT}, e.provider) > (w.tenant, w.provider) ${IN_ORDER}) n)
  SELECT 'dead_letters:' || provider || coalesce(':tenant:' || nullif(tenant, ''), '') AS key, provider, nullif(tenant, '') AS tenant, NULL::uuid AS connection_id,
    c.count, about, NULL AS code
  FROM whose w CROSS JOIN LATERAL (
    SELECT count(*)::int AS count FROM (
      SELECT 1 FROM webhook_events e WHERE ${STATES.dead} AND (${TENANT}, e.provider) BETWEEN (w.tenant, w.provider) AND (w.tenant, w.provider)
      ORDER BY ${TENANT}, e.provider, e.type LIMIT ${FOUND_AT_MOST}) f) c`;

/**
 * Handlers at which at least `least` events of a type have failed that wait for another try: told before the last of them, hours later. The
 * operator's alone: handlers are the product's code, whoever's events meet them.
 */
export const failingHandlers = (least: number) => `
  WITH RECURSIVE kinds (provider, type) AS (
    (${FIRST_FAILED} ${BY_KIND} LIMIT 1)
    UNION ALL
    SELECT n.provider, n.type FROM kinds k CROSS JOIN LATERAL (${FIRST_FAILED} AND (e.provider, e.type) > (k.provider, k.type) ${BY_KIND} LIMIT 1) n)
  SELECT 'handlers_failing:' || provider || ':' || type AS key, provider, NULL AS tenant, NULL::uuid AS connection_id, c.count, type AS about, NULL AS code
  FROM kinds k CROSS JOIN LATERAL (
    SELECT count(*)::int AS count FROM (
      ${FIRST_FAILED} AND (e.provider, e.type) BETWEEN (k.provider, k.type) AND (k.provider, k.type) ${BY_KIND} LIMIT ${FOUND_AT_MOST}) f) c
  WHERE c.count >= ${least}`;

/**
 * More than `most` deliveries of a provider in ten minutes that were refused for their time alone. The operator's alone. Only well signed
 * ones are counted as this cause; a single one may be a provider's late repetition.
 */
export const skewedDeliveries = (most: number) => `
  SELECT 'clock_skew:' || provider AS key, provider, NULL AS tenant, NULL::uuid AS connection_id, sum(count)::int AS count, NULL AS about, NULL AS code
  FROM webhook_refusals WHERE cause = 'clock_skew' AND minute > now() - interval '10 minutes' GROUP BY provider HAVING sum(count) > ${most}`;
