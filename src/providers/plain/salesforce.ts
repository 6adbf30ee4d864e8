import { z } from 'zod';
import type { PlainOperation, PlainProvider, PlainResource } from '../../integrations';

// https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_query.htm and resources_sobject_basic_info_post.htm, on 2026-11-28.

const object = { Id: z.string(), CreatedDate: z.string(), SystemModstamp: z.string() };
const field = z.string().nullable();
const accountShape = z.object({ ...object, Name: z.string(), Phone: field, Website: field });
const contactShape = z.object({ ...object, FirstName: field, LastName: z.string(), Email: field, AccountId: field });
const opportunityShape = z.object({
  ...object,
  Name: z.string(),
  StageName: z.string(),
  CloseDate: z.string(),
  Amount: z.number().nullable(),
  IsClosed: z.boolean(),
});

/** What the person may see; in the recycle bin it is no more. */
function objects(name: string, label: string, type: string, fields: string, shape: z.ZodObject): PlainResource {
  const select = `SELECT Id, ${fields}, CreatedDate, SystemModstamp FROM ${type}`;
  return {
    name,
    label,
    shape,
    extent: 'whole',
    path: 'query',
    items: '/records',
    id: '/Id',
    version: '/SystemModstamp',
    query: { q: `${select} ORDER BY SystemModstamp, Id` },
    page: { by: 'cursor', next: '/nextRecordsUrl', done: '/done' },
    since: { param: 'q', as: 'iso', text: `${select} WHERE SystemModstamp >= {since} ORDER BY SystemModstamp, Id` },
  };
}

/** No key is honoured. */
function creating(name: string, one: string, type: string, input: PlainOperation['input']): PlainOperation {
  return {
    name: `${name}.create`,
    title: `Create a ${one}`,
    description: `Adds a ${one}, owned by the person who connected.`,
    effect: 'write',
    makes: true,
    scopes: ['api'],
    widerScopes: { api: ['full'] },
    method: 'POST',
    path: `sobjects/${type}`,
    input,
    output: z.object({ id: z.string() }),
  };
}

const text = z.string().max(255).optional();

export const salesforce: PlainProvider = {
  key: 'salesforce',
  name: 'Salesforce',
  docs: 'https://help.salesforce.com/s/articleView?id=xcloud.remoteaccess_oauth_web_server_flow.htm',
  checked: { at: '2026-11-28', against: 'grant 5.4.24, arctic; its lists with nothing' },
  apiBaseUrl: '{instance}/services/data/v62.0/',
  hosts: ['*.salesforce.com', '*.my.salesforce.com', '*.sandbox.my.salesforce.com', '*.develop.my.salesforce.com'],
  learn: { instance: '/instance_url' },
  oauth2: {
    authorizeUrl: 'https://login.salesforce.com/services/oauth2/authorize',
    tokenUrl: 'https://login.salesforce.com/services/oauth2/token',
    revokeUrl: 'https://login.salesforce.com/services/oauth2/revoke',
    scopes: ['api', 'refresh_token', 'openid'],
    refresh: true,
    pkce: true,
  },
  account: { path: 'https://login.salesforce.com/services/oauth2/userinfo', id: '/organization_id', name: '/preferred_username' },
  faults: [
    { status: 401, at: '/0/errorCode', is: 'INVALID_SESSION_ID', code: 'needs_reauth', tokenExpired: true },
    { status: 403, at: '/0/errorCode', is: 'REQUEST_LIMIT_EXCEEDED', code: 'provider_rate_limited' },
  ],
  limits: { account: { perSecond: 5, burst: 50, per: 'account' } },
  noEvents:
    'Salesforce streams its changes (Pub/Sub API, gRPC) or sends them as SOAP messages without a signature, and has no signed webhook.',
  resources: [
    objects('accounts', 'Accounts', 'Account', 'Name, Type, Industry, Phone, Website, OwnerId, ParentId', accountShape),
    objects('contacts', 'Contacts', 'Contact', 'FirstName, LastName, Email, Phone, Title, AccountId, OwnerId', contactShape),
    objects(
      'opportunities',
      'Opportunities',
      'Opportunity',
      'Name, StageName, Amount, CloseDate, IsClosed, IsWon, AccountId, OwnerId',
      opportunityShape,
    ),
  ],
  operations: [
    creating(
      'accounts',
      'customer account',
      'Account',
      z.strictObject({ Name: z.string().min(1).max(255), Phone: text, Website: text, Industry: text }),
    ),
    creating(
      'contacts',
      'contact',
      'Contact',
      z.strictObject({
        LastName: z.string().min(1).max(80),
        FirstName: text,
        Email: z.email().max(80).optional(),
        Phone: text,
        AccountId: text,
      }),
    ),
  ],
};
