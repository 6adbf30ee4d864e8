/**
 * The organization of an event `e` as the indexes by organization have it; '' stands for nobody. Not `coalesce`, which is taken for what may
 * leak: under a caller's role the policy would be looked at first, and no index used.
 */
export const TENANT_OF_EVENT = `(CASE WHEN e.tenant IS NULL THEN '' ELSE e.tenant END)`;
