/** What monitoring finds in the rows of this folder, with the columns of `Finding`. Events that were given up. */
export const DEAD_EVENTS = `
  SELECT 'dead_letters:' || provider || coalesce(':tenant:' || tenant, '') AS key, provider, tenant, NULL::uuid AS connection_id, count(*)::int AS count,
    min(type) AS about, max(error_code) AS code
  FROM webhook_events WHERE status = 'dead' GROUP BY provider, tenant`;

/**
 * Handlers at which at least `least` events of a type have failed that wait for another try: told before the last of them, hours later. The
 * operator's alone: handlers are the product's code, whoever's events meet them.
 */
export const failingHandlers = (least: number) => `
  SELECT 'handlers_failing:' || provider || ':' || type AS key, provider, NULL AS tenant, NULL::uuid AS connection_id, count(*)::int AS count,
    type AS about, max(error_code) AS code
  FROM webhook_events WHERE status = 'failed' AND error_code = 'webhook_handler_failed' GROUP BY provider, type HAVING count(*) >= ${least}`;

/**
 * More than `most` deliveries of a provider in ten minutes that were refused for their time alone. The operator's alone. Only well signed
 * ones are counted as this cause; a single one may be a provider's late repetition.
 */
export const skewedDeliveries = (most: number) => `
  SELECT 'clock_skew:' || provider AS key, provider, NULL AS tenant, NULL::uuid AS connection_id, sum(count)::int AS count, NULL AS about, NULL AS code
  FROM webhook_refusals WHERE cause = 'clock_skew' AND minute > now() - interval '10 minutes' GROUP BY provider HAVING sum(count) > ${most}`;
