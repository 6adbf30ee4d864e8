/** Condition: the row of `oauth_clients` has ended, and nothing that was connected with it is left to renew or to end. */
export const UNUSED_CLIENT = `oauth_clients.ended_at IS NOT NULL AND NOT EXISTS (
  SELECT 1 FROM connections c WHERE c.tenant = oauth_clients.tenant AND c.provider = oauth_clients.provider
    AND c.metadata->>'clientId' = oauth_clients.client_id AND (c.status <> 'disconnected' OR c.updated_at > now() - interval '2 minutes'))`;
