/** What monitoring finds in the rows of this folder, with the columns of `Finding`. Destinations that were paused because nothing arrives. */
export const PAUSED_DESTINATIONS = `
  SELECT 'destination_paused:' || id AS key, NULL AS provider, tenant, NULL::uuid AS connection_id, failures AS count, name AS about, paused_reason AS code
  FROM destinations WHERE status = 'paused' AND paused_reason IN ('failing', 'gone')`;
