import { z } from 'zod';
import type { PlainProvider, PlainResource } from '../../integrations';
import { notionInputs, notionShapes } from './notion.schemas';

// https://developers.notion.com/reference/post-search, /create-a-comment and /post-page, and the types of @notionhq/client 5.26.0, on 2026-11-28.

/** What was shared with the app, as far as Notion's search finds it. */
function found(name: string, label: string, kind: string, shape: z.ZodObject): PlainResource {
  const body = { page_size: 100, filter: { property: 'object', value: kind } };
  return {
    name,
    label,
    shape,
    extent: { filtered: 'Notion’s search may leave out some of what was shared.' },
    path: 'search',
    method: 'POST',
    body,
    items: '/results',
    version: '/last_edited_time',
    deletedWhen: { at: '/archived', is: 'true' },
    page: { by: 'cursor', param: 'start_cursor', in: 'body', next: '/next_cursor', more: '/has_more' },
    since: { newestFirst: { body: { ...body, sort: { direction: 'descending', timestamp: 'last_edited_time' } } } },
  };
}

export const notion: PlainProvider = {
  key: 'notion',
  name: 'Notion',
  docs: 'https://developers.notion.com/docs/authorization',
  checked: { at: '2026-11-28', against: 'grant 5.4.24, arctic; the search: @notionhq/client 5.26.0; the events: developers.notion.com' },
  apiBaseUrl: 'https://api.notion.com/v1/',
  oauth2: {
    authorizeUrl: 'https://api.notion.com/v1/oauth/authorize',
    tokenUrl: 'https://api.notion.com/v1/oauth/token',
    clientAuth: 'basic',
    tokenBody: 'json',
    authorizeParams: { owner: 'user' },
  },
  headers: { 'notion-version': '2022-06-28' },
  account: { id: 'token:/workspace_id', name: 'token:/workspace_name' },
  limits: { account: { perSecond: 3, burst: 10, per: 'account' } },
  endpoints: [{ method: 'POST', path: '/v1/search', repeatable: true }],
  webhooks: {
    // https://developers.notion.com/reference/webhooks and /webhooks-events-delivery: one subscription an app, whose token is sent once, unsigned.
    scheme: { kind: 'hmac', header: 'x-notion-signature', prefix: 'sha256=' },
    tellsSecret: '/verification_token',
    eventId: '/id',
    type: ['/type'],
    routingKey: '/workspace_id',
    objectId: '/entity/id',
    objectVersion: '/timestamp',
    // An event has ids only.
    records: [
      { types: ['page.*'], resource: 'pages', id: '/entity/id', gone: ['page.deleted'] },
      { types: ['database.*', 'data_source.*'], resource: 'databases', id: '/entity/id', gone: ['database.deleted'] },
    ],
  },
  resources: [
    found('pages', 'Pages', 'page', notionShapes.page),
    found('databases', 'Databases', 'database', notionShapes.database),
    {
      name: 'users',
      label: 'People',
      shape: notionShapes.user,
      // https://developers.notion.com/reference/get-users
      extent: { filtered: 'Notion leaves guests out.' },
      path: 'users',
      items: '/results',
      query: { page_size: '100' },
      page: { by: 'cursor', param: 'start_cursor', next: '/next_cursor', more: '/has_more' },
    },
  ],
  // No key is honoured.
  operations: [
    {
      name: 'pages.create',
      title: 'Create a page',
      description: 'Adds a page with a title below another page that was shared with the app.',
      effect: 'write',
      makes: true,
      method: 'POST',
      path: 'pages',
      input: notionInputs.page,
      output: z.object({ id: z.string(), url: z.string() }),
    },
    {
      name: 'comments.create',
      title: 'Comment on a page',
      description: 'Adds a comment to a page, in the name of the app.',
      effect: 'write',
      makes: true,
      method: 'POST',
      path: 'comments',
      input: notionInputs.comment,
      output: z.object({ id: z.string() }),
    },
  ],
};
