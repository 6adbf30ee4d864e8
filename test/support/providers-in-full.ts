/** Plain providers with synced resources, events that change records, and operations: they pass the suite that every provider in full does. */
export const IN_FULL: readonly string[] = [
  'github',
  'github-app',
  'hubspot',
  'linear',
  'zendesk',
  'shopify',
  'jira',
  'microsoft',
  'notion',
];
