import { randomUUID } from 'node:crypto';
import { describeProvider } from './provider.suite';

/** Asks a pretend provider as anybody with a token would. */
async function ask(url: string, token: unknown, form?: Record<string, string>): Promise<Record<string, unknown>> {
  const init = {
    headers: { authorization: `Bearer ${String(token)}` },
    ...(form ? { method: 'POST', body: new URLSearchParams(form) } : {}),
  };
  return (await (await fetch(url, init)).json()) as Record<string, unknown>;
}

const idsOf = (list: unknown): string[] => (list as { id: string }[]).map(({ id }) => id);

describeProvider({
  key: 'slack',
  account: 'T_SUITE',
  consent: { team: 'T_SUITE' },
  resources: ['channels', 'users'],
  remoteIds: async ({ app: { sandbox } }, resource) => {
    const token = sandbox.control.mint({ provider: 'slack', account: 'T_SUITE' })['access_token'];
    const [method, list] = resource === 'channels' ? ['conversations.list', 'channels'] : ['users.list', 'members'];
    return idsOf((await ask(`${sandbox.urls.slack}/api/${method}`, token, { limit: '1000' }))[list as string]);
  },
  changes: 'channels',
  change: async ({ app: { sandbox } }) => {
    const account = 'T_SUITE';
    const kept = sandbox.control.change('slack', 'channels', { account, name: 'suite-kept' });
    const token = sandbox.control.mint({ provider: 'slack', account })['access_token'];
    const [doomed] = idsOf((await ask(`${sandbox.urls.slack}/api/conversations.list`, token, { limit: '1000' }))['channels']).filter(
      (id) => id !== kept['id'],
    );
    sandbox.control.change('slack', 'channels', { account, id: doomed, delete: true });
    return { changed: String(kept['id']), deleted: String(doomed) };
  },
  eventType: 'message',
  action: { method: 'GET', path: 'slack/channels' },
  failures: [
    [200, { ok: false, error: 'ratelimited' }],
    [200, { ok: false, error: 'missing_scope', needed: 'chat:write' }],
    [200, { ok: false, error: 'token_revoked' }],
    [200, { ok: false, error: 'fatal_error' }],
    [200, { ok: false, error: 'never_heard_of' }],
    [200, { ok: false }],
  ],
  operations: [
    {
      name: 'messages.send',
      endpoint: 'chat.postMessage',
      repeat: 'none',
      input: ({ app: { sandbox } }) => ({
        channel: sandbox.control.change('slack', 'channels', { account: 'T_SUITE', name: 'suite-said' })['id'],
        text: 'Hello from the suite',
      }),
    },
  ],
  tokenEndpoint: 'oauth.v2.access',
});

describeProvider({
  key: 'stripe',
  account: 'acct_1Suite',
  consent: { account: 'acct_1Suite' },
  resources: ['customers', 'subscriptions', 'invoices', 'prices'],
  remoteIds: async ({ app: { sandbox } }, resource) => {
    const key = sandbox.control.mint({ provider: 'stripe', account: 'acct_1Suite' })['access_token'];
    return idsOf(
      (await ask(`${sandbox.urls.stripe}/v1/${resource}?limit=100${resource === 'subscriptions' ? '&status=all' : ''}`, key))['data'],
    );
  },
  changes: 'customers',
  change: async ({ app: { sandbox } }) => {
    const account = 'acct_1Suite';
    const [changed = '', deleted = ''] = idsOf(
      (await ask(`${sandbox.urls.stripe}/v1/customers?limit=100`, sandbox.control.mint({ provider: 'stripe', account })['access_token']))[
        'data'
      ],
    );
    sandbox.control.change('stripe', 'customers', { account, id: changed, name: `Changed ${randomUUID()}` });
    sandbox.control.change('stripe', 'customers', { account, id: deleted, delete: true });
    return { changed, deleted };
  },
  eventType: 'customer.updated',
  action: { method: 'GET', path: 'proxy/v1/customers?limit=1' },
  refused: { method: 'DELETE', path: 'stripe/subscriptions/sub_none' },
  failures: [
    [402, { error: { type: 'card_error', code: 'card_declined', decline_code: 'stolen_card' } }],
    [429, { error: { type: 'invalid_request_error', code: 'rate_limit' } }],
    [401, { error: { type: 'invalid_request_error', message: 'Invalid API Key provided: sk_test_***' } }],
    [404, { error: { type: 'invalid_request_error', code: 'resource_missing' } }],
    [400, { error: { type: 'invalid_request_error', param: 'customer' } }],
    [500, { error: { type: 'api_error' } }],
  ],
  operations: [
    {
      name: 'subscriptions.create',
      endpoint: 'subscriptions.create',
      repeat: 'key',
      input: ({ app: { sandbox } }) => {
        const account = 'acct_1Suite';
        const { prices } = sandbox.control.state().stripe[account] as { prices: { id: string }[] };
        return { customerId: sandbox.control.change('stripe', 'customers', { account, name: 'Payer' })['id'], priceId: prices[0]?.id };
      },
    },
  ],
});

describeProvider({
  key: 'google',
  account: 'suite@acme.test',
  consent: { login_hint: 'suite@acme.test' },
  resources: ['calendars', 'events', 'messages'],
  remoteIds: async ({ app: { sandbox } }, resource) => {
    const token = sandbox.control.mint({ provider: 'google', account: 'suite@acme.test' })['access_token'];
    const list = async (path: string, key: string): Promise<string[]> =>
      idsOf((await ask(`${sandbox.urls.google}${path}`, token))[key] ?? []);
    const calendars = await list('/calendar/v3/users/me/calendarList', 'items');
    if (resource === 'calendars') return calendars;
    if (resource === 'messages') return list('/gmail/v1/users/me/messages?maxResults=500', 'messages');
    return (
      await Promise.all(calendars.map((id) => list(`/calendar/v3/calendars/${encodeURIComponent(id)}/events?maxResults=2500`, 'items')))
    ).flat();
  },
  changes: 'events',
  change: async ({ app: { sandbox } }) => {
    const account = 'suite@acme.test';
    const made = sandbox.control.change('google', 'events', {
      account,
      summary: 'Changed',
      start: { date: '2027-01-01' },
      end: { date: '2027-01-02' },
    });
    const token = sandbox.control.mint({ provider: 'google', account })['access_token'];
    const events = (await ask(`${sandbox.urls.google}/calendar/v3/calendars/primary/events?maxResults=2500`, token))['items'] as {
      id: string;
      recurrence?: unknown;
      recurringEventId?: unknown;
    }[];
    const doomed = events.find((event) => event.id !== made['id'] && !event.recurrence && !event.recurringEventId);
    sandbox.control.change('google', 'events', { account, id: doomed?.id, delete: true });
    return { changed: String(made['id']), deleted: String(doomed?.id) };
  },
  eventType: 'calendar.exists',
  action: { method: 'GET', path: 'google/calendars/primary/events' },
  failures: [
    [403, { error: { code: 403, errors: [{ reason: 'rateLimitExceeded' }] } }],
    [403, { error: { code: 403, errors: [{ reason: 'forbidden' }] } }],
    [401, { error: { code: 401, errors: [{ reason: 'authError' }] } }],
    [410, { error: { code: 410, errors: [{ reason: 'fullSyncRequired' }] } }],
    [400, { error: 'invalid_grant' }],
    [503, { error: { code: 503, errors: [{ reason: 'backendError' }] } }],
  ],
  operations: [
    {
      name: 'emails.send',
      endpoint: 'gmail.messages.send',
      repeat: 'search',
      input: () => ({ to: ['zoe@example.test'], subject: 'From the suite', text: 'Hello' }),
    },
  ],
  tokenEndpoint: 'oauth.token',
});
