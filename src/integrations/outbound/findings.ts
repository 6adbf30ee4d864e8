/**
 * What monitoring finds in the rows of this folder, with the columns of `Finding`. More than `most` server errors of a provider in five
 * minutes: one for each tenant that is hit, and one for the operator (no tenant) where the trouble is not one tenant's: without a tenant,
 * or spread over several.
 */
export const failingProviders = (most: number) => `
  WITH hit AS (
    SELECT provider, nullif(tenant, '') AS tenant, sum(server_errors)::int AS errors FROM request_buckets
    WHERE failed > 0 AND minute > now() - interval '5 minutes' GROUP BY provider, nullif(tenant, '') HAVING sum(server_errors) > 0)
  SELECT 'provider_errors:' || provider || ':tenant:' || tenant AS key, provider, tenant, NULL::uuid AS connection_id, errors AS count, NULL AS about, NULL AS code
  FROM hit WHERE tenant IS NOT NULL AND errors > ${most}
  UNION ALL
  SELECT 'provider_errors:' || provider, provider, NULL, NULL, sum(errors)::int, NULL, NULL FROM hit GROUP BY provider
  HAVING sum(errors) > ${most}
    AND (coalesce(max(errors) FILTER (WHERE tenant IS NOT NULL), 0) <= ${most}
      OR sum(errors) - coalesce(max(errors) FILTER (WHERE tenant IS NOT NULL), 0) > ${most})`;

/**
 * Refused for how our app is set up there, or at a renewal with a code that nobody knows. The operator's alone: one a provider, however
 * many connections it keeps from working, with the code and the endpoint of the last refusal.
 */
export const MISCONFIGURED_PROVIDERS = `
  SELECT 'provider_misconfigured:' || provider AS key, provider, NULL AS tenant, NULL::uuid AS connection_id, count(*)::int AS count,
    (array_agg(endpoint ORDER BY at DESC))[1] AS about, (array_agg(coalesce(provider_code, error_code) ORDER BY at DESC))[1] AS code
  FROM request_log WHERE at > now() - interval '30 minutes' AND error_code IN ('provider_misconfigured', 'refresh_refused')
  GROUP BY provider`;
