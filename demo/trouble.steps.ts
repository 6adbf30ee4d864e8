import { yearOfEvents } from './action.steps';
import { ACCOUNTS, connect } from './connect.steps';
import { until } from './http-client';
import type { Report } from './report';
import { connectionAt, failureOf, type World } from './world';

const CALLERS = 50;

/** What goes wrong with every provider sooner or later, and what people then see. */
export async function troubleSteps(world: World, report: Report): Promise<void> {
  const channels = () => world.user.raw.GET('/v1/connections/{id}/slack/channels', { params: { path: connectionAt(world, 'slack') } });

  const cardAt = (provider: string) => world.user.get('/v1/connections/{id}', { params: { path: connectionAt(world, provider) } });

  await report.step(`a token expires under ${CALLERS} callers`, `${CALLERS} answered 200; 1 refresh at Slack`, async () => {
    await world.control.post('/tokens/expire', { provider: 'slack', account: ACCOUNTS.slack });
    const since = await world.control.lastSeq();
    // Through the proxy: this method of Slack may be called as often as here within a minute, a list of channels may not.
    const whoAmI = () => world.callProxy(`/v1/connections/${connectionAt(world, 'slack').id}/proxy/auth.test`);
    const answers = await Promise.all(Array.from({ length: CALLERS }, whoAmI));
    const refreshes = await world.control.ledger({ provider: 'slack', endpoint: 'oauth.v2.access', since });
    return `${answers.filter(({ status }) => status === 200).length} answered 200; ${refreshes.length} refresh at Slack`;
  });

  await report.step('Slack answers 429 with Retry-After: 2', '10 answered 200; 0 requests came early', async () => {
    await world.control.post('/faults', {
      provider: 'slack',
      endpoint: 'conversations.list',
      kind: 'rate-limit',
      retryAfter: '2',
      count: 1,
    });
    const since = await world.control.lastSeq();
    const first = channels();
    await until(() => limitedAt(world, since), Boolean);
    const answers = await Promise.all([first, ...Array.from({ length: 9 }, channels)]);
    const limited = (await limitedAt(world, since)) ?? 0;
    const requests = await world.control.ledger({ provider: 'slack', endpoint: 'conversations.list', kind: 'request', since });
    // A request that was already under way when the 429 was read is not early: 100 ms are granted for that.
    const early = requests.filter((entry) => entry.at > limited + 100 && entry.at < limited + 2_000);
    return `${answers.filter(({ response }) => response.status === 200).length} answered 200; ${early.length} requests came early`;
  });

  await report.step('a person removes the app at Google', 'the call is answered 409 needs_reauth; the card says needs_reauth', async () => {
    await world.control.post('/tokens/revoke', { provider: 'google', account: ACCOUNTS.google });
    const { status, code } = await failureOf(yearOfEvents(world));
    return `the call is answered ${status} ${code}; the card says ${(await cardAt('google')).status}`;
  });

  await report.step('nothing more is sent to Google until it is reconnected', '0 requests', async () => {
    const since = await world.control.lastSeq();
    const params = { path: connectionAt(world, 'google') };
    await failureOf(world.user.post('/v1/connections/{id}/syncs', { params, body: { type: 'incremental' } }));
    const mail = { to: ['a@example.test'], subject: 'x', text: 'x' };
    await failureOf(world.user.post('/v1/connections/{id}/google/emails', { params, body: mail }));
    return `${(await world.control.ledger({ provider: 'google', kind: 'request', since })).length} requests`;
  });

  await report.step('an alert tells the administrator of the lost connection', '1 open alert', async () => {
    const open = async () => {
      const { data } = await world.admin.get('/v1/admin/alerts', { params: { query: { state: 'open' } } });
      return data.filter((alert) => alert.kind === 'connection_lost' && alert.connectionId === world.connections.get('google'));
    };
    return `${(await until(open, (found) => found.length > 0, 30_000)).length} open alert`;
  });

  await report.step('reconnecting mends it and keeps the connection', 'connected; the same connection', async () => {
    const before = world.connections.get('google');
    await connect(world, 'google', before);
    return `${(await cardAt('google')).status}; ${world.connections.get('google') === before ? 'the same connection' : 'another connection'}`;
  });
}

async function limitedAt(world: World, since: number): Promise<number | undefined> {
  const entries = await world.control.ledger({ provider: 'slack', endpoint: 'conversations.list', kind: 'request', since });
  const limited = entries.find((entry) => entry.status === 429);
  return limited && limited.at + (limited.durationMs ?? 0);
}
