import { until } from './http-client';
import type { Report } from './report';
import { accountState, connectionAt, finishedRun, readRecords, type World } from './world';

/** The demo's account at each provider, as the sandbox's consent page names it. */
export const ACCOUNTS = { slack: 'T_ACME', stripe: 'acct_1SandboxAcme', google: 'ada@acme.test' } as const;
const EXCHANGES: Readonly<Record<string, string>> = { slack: 'oauth.v2.access', stripe: 'oauth.token', google: 'oauth.token' };

/** A person presses Connect, allows it at the provider, comes back, and finds the data there. */
export async function connectSteps(world: World, report: Report): Promise<void> {
  for (const provider of Object.keys(ACCOUNTS)) {
    await report.step(`connect ${provider} with consent`, 'connected; 1 code exchanged', async () => {
      const since = await world.control.lastSeq();
      await connect(world, provider);
      const exchanges = await world.control.ledger({ provider, endpoint: EXCHANGES[provider], since });
      const { status } = await world.user.get('/v1/connections/{id}', { params: { path: connectionAt(world, provider) } });
      return `${status}; ${exchanges.length} code exchanged`;
    });
  }
  await report.step('a callback that is opened a second time', 'refused; 0 codes exchanged', async () => {
    const since = await world.control.lastSeq();
    const again = await world.browser.get(`${world.serviceUrl}/auth/slack/callback?code=stolen&state=${'x'.repeat(43)}`);
    const exchanges = await world.control.ledger({ provider: 'slack', endpoint: 'oauth.v2.access', since });
    return `${again.status === 400 ? 'refused' : `answered ${again.status}`}; ${exchanges.length} codes exchanged`;
  });
}

/** What the first full sync brought is what the provider has. */
export async function syncSteps(world: World, report: Report): Promise<void> {
  for (const [provider, account] of Object.entries(ACCOUNTS)) {
    const remote = await accountState(world, provider, account);
    for (const [resource, count] of Object.entries(remoteCounts(provider, remote))) {
      await report.step(`first full sync: ${provider} ${resource}`, `succeeded; ${count} records`, async () => {
        const run = await finishedRun(world, provider);
        // A cancelled occurrence of a series is kept as a fact about the series; the sandbox counts it apart.
        const records = (await readRecords(world, provider, resource)).filter((record) => record.status !== 'cancelled');
        return `${run?.status}; ${records.length} records`;
      });
    }
  }
  await report.step('an event changed at Google reaches the records by itself', 'renamed', async () => {
    const before = await readRecords(world, 'google', 'events');
    const event = before.find((record) => record.status === 'confirmed' && record.summary);
    await world.control.post('/google/events', {
      account: ACCOUNTS.google,
      calendar: 'primary',
      id: event?.id,
      summary: 'Moved by a person',
    });
    const renamed = await until(
      () => readRecords(world, 'google', 'events').then((records) => records.some((record) => record.summary === 'Moved by a person')),
      Boolean,
      20_000,
    );
    return renamed ? 'renamed' : 'unchanged';
  });
}

export async function connect(world: World, provider: string, connectionId?: string): Promise<void> {
  const returnTo = `${world.serviceUrl}/settings/integrations`;
  const body = { provider, returnTo, ...(connectionId ? { connectionId } : {}) };
  const { connectUrl } = await world.user.post('/v1/connect-sessions', { body });
  const start = await world.browser.pressConnect(connectUrl);
  const consent = new URL(start.location ?? '');
  const allowed = await world.browser.postForm(`${consent.origin}/oauth/consent`, {
    ...Object.fromEntries(consent.searchParams),
    decision: 'allow',
  });
  const back = await world.browser.get(allowed.location ?? '');
  const landed = new URL(back.location ?? 'about:blank').searchParams;
  if (landed.get('success') !== provider) throw new Error(`came back with ${landed.get('error') ?? `HTTP ${back.status}`}`);
  world.connections.set(provider, landed.get('connection') ?? '');
}

function remoteCounts(provider: string, remote: Readonly<Record<string, unknown>>): Record<string, number> {
  if (provider === 'slack') return { channels: Number(remote.publicChannels), users: Number(remote.users) };
  if (provider === 'stripe')
    return {
      customers: Number(remote.customers),
      subscriptions: (remote.subscriptions as unknown[]).length,
      invoices: Number(remote.invoices),
    };
  const calendars = remote.calendars as { events: number }[];
  return { calendars: calendars.length, events: calendars.reduce((sum, calendar) => sum + calendar.events, 0) };
}
