/** What an administrator reads. */
export const ADMIN_ROUTES = [
  '/v1/admin/health',
  '/v1/admin/webhook-events',
  '/v1/admin/requests',
  '/v1/admin/alerts',
  '/v1/admin/sync-runs',
  '/v1/admin/queue',
  '/v1/admin/destinations',
];

/** The same as pages. */
export const ADMIN_PAGES = ['/admin', '/admin/alerts', '/admin/webhook-events', '/admin/requests', '/admin/sync-runs'];
