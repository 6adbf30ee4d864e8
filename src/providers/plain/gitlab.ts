import { z } from 'zod';
import type { PlainProvider } from '../../integrations';

export const gitlab: PlainProvider = {
  key: 'gitlab',
  name: 'GitLab',
  docs: 'https://docs.gitlab.com/api/oauth2/',
  checked: { at: '2026-11-27', against: 'grant 5.4.24, arctic' },
  apiBaseUrl: 'https://gitlab.com/api/v4/',
  oauth2: {
    authorizeUrl: 'https://gitlab.com/oauth/authorize',
    tokenUrl: 'https://gitlab.com/oauth/token',
    revokeUrl: 'https://gitlab.com/oauth/revoke',
    scopes: ['read_user', 'api'],
    refresh: true,
    pkce: true,
  },
  account: { path: 'user', id: '/id', name: '/username' },
  webhooks: {
    scheme: { kind: 'token', header: 'x-gitlab-token' },
    eventId: 'header:x-gitlab-event-uuid',
    type: ['/object_kind'],
    routingKey: ['/user_id', '/user/id'],
  },
  resources: [
    {
      name: 'projects',
      label: 'Projects',
      // Archived ones are among them: https://docs.gitlab.com/api/projects/
      extent: 'whole',
      path: 'projects',
      query: { membership: 'true', per_page: '100', order_by: 'id', sort: 'asc' },
      page: { by: 'link' },
      version: '/last_activity_at',
      since: { param: 'last_activity_after', as: 'iso' },
    },
  ],
  operations: [
    {
      name: 'issues.create',
      title: 'Create an issue',
      description: 'Opens an issue in a project, which is named by its id or by its path (group/project).',
      effect: 'write',
      makes: true,
      scopes: ['api'],
      method: 'POST',
      path: 'projects/{project}/issues',
      input: z.strictObject({
        project: z.string().min(1).max(255),
        title: z.string().min(1).max(255),
        description: z.string().max(1_048_576).optional(),
        labels: z.string().max(1_000).optional().describe('Names, separated by commas.'),
      }),
      output: z.object({ id: z.number(), iid: z.number(), web_url: z.string() }),
    },
  ],
};
