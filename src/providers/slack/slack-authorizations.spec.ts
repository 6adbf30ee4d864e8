import { createHmac } from 'node:crypto';
import { eventContextOf } from '../../../sandbox/slack/slack.event-context';
import { Browser, connectFixture, RETURN_TO, type ConnectFixture } from '../../integrations/connect/testing/connect-fixture';

interface Row {
  readonly tenant: string | null;
  readonly status: string;
  readonly has_body: boolean;
}

/** Of all services here: the logger is the process's. */
const lines: string[] = [];

/** Waits for what is told by the rows alone; the test's own time ends it. */
async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise(setImmediate);
}

describe.each([
  ['with an app token', {}],
  ['without one', { SLACK_APP_TOKEN: undefined }],
  ['with one that Slack refuses', { SLACK_APP_TOKEN: `xapp-1-${'0'.repeat(64)}` }],
])('an event of a channel that two workspaces share, %s', (_, settings) => {
  const answered = Object.keys(settings).length === 0;
  const asks = !('SLACK_APP_TOKEN' in settings) || settings.SLACK_APP_TOKEN !== undefined;
  let fixture: ConnectFixture;
  beforeAll(async () => {
    fixture = await connectFixture(settings, { log: { write: (line: string) => void lines.push(line) } });
    fixture.sandbox.setWebhookTarget(fixture.app.url);
    await connect('T_OURS', fixture.tokens.user, ['search:read']);
    await connect('T_THEIRS', fixture.tokens.other);
  });
  afterAll(() => fixture.close());
  beforeEach(() => fixture.clear());

  async function connect(team: string, token: string, userScopes: string[] = []): Promise<void> {
    const request = { provider: 'slack', returnTo: RETURN_TO, userScopes };
    const { body } = await fixture.call('POST', '/v1/connect-sessions', request, token);
    const browser = new Browser();
    const callback = await fixture.consent((await browser.press(body['connectUrl'] as string)).location, team);
    expect((await browser.get(callback)).location).toContain('success=slack');
  }
  const rows = (eventId: string) =>
    fixture.dataSource.query<Row[]>(
      `SELECT e.tenant, e.status, EXISTS (SELECT 1 FROM webhook_payloads p WHERE p.id = e.payload_id AND octet_length(p.body) > 0) AS has_body
       FROM webhook_events e WHERE event_id = $1 ORDER BY tenant`,
      [eventId],
    );
  const asked = () => fixture.sandbox.control.ledger({ kind: 'request', endpoint: 'apps.event.authorizations.list' });
  const allDone = (eventId: string) => async () => {
    // The question first: whom it brings stands there when it is done.
    const found = [...(await rows(`${eventId}:who-else`)), ...(await rows(eventId))];
    return found.length > 0 && found.every(({ status }) => status === 'completed');
  };
  async function deliver(more: object = {}): Promise<string> {
    const type = 'message';
    const { eventIds } = await fixture.sandbox.control.deliver({
      provider: 'slack',
      type,
      account: 'T_OURS',
      payload: { channel: 'C_SHARED' },
      ...more,
    });
    const [eventId = ''] = eventIds;
    await until(allDone(eventId));
    return eventId;
  }

  const shared = async () => {
    const eventId = await deliver({ sharedWith: ['T_THEIRS', 'T_OF_NOBODY'], copies: 3 });
    const both = [
      { tenant: 'acme', status: 'completed', has_body: true },
      { tenant: 'other', status: 'completed', has_body: true },
    ];
    expect((await rows(eventId)).filter(({ tenant }) => tenant !== null)).toEqual(answered ? both : both.slice(0, 1));
    // The question keeps nobody's message.
    const question = asks ? [{ tenant: null, status: 'completed', has_body: false }] : [];
    expect(await rows(`${eventId}:who-else`)).toEqual(question);
    expect(asked()).toHaveLength(question.length);
  };
  if (answered) it('reaches both, once, with its body', shared);
  else it('stays with those whom the delivery names', shared);

  it('asks nothing about an event that is of one workspace alone', async () => {
    const eventId = await deliver();
    expect(await rows(eventId)).toEqual([{ tenant: 'acme', status: 'completed', has_body: true }]);
    expect(await rows(`${eventId}:who-else`)).toEqual([]);
    expect(asked()).toEqual([]);
  });

  if (answered) {
    it.each([
      ['reaches them late where Slack does not answer at first', false],
      ['leaves no body behind that nobody holds any more', true],
    ])('%s', async (text, isErased) => {
      fixture.sandbox.control.addFault({ kind: 'status', status: 503, endpoint: 'apps.event.authorizations.list', count: 30 });
      const shared = { account: 'T_OURS', sharedWith: ['T_THEIRS'], payload: { text } };
      const { eventIds } = await fixture.sandbox.control.deliver({ provider: 'slack', type: 'message', ...shared });
      const [eventId = ''] = eventIds;
      const question = async () => (await rows(`${eventId}:who-else`))[0]?.status;
      await until(async () => (await question()) === 'failed');
      expect((await rows(eventId)).map(({ tenant }) => tenant)).toEqual(['acme']);
      if (isErased) await fixture.dataSource.query('DELETE FROM webhook_events WHERE event_id = $1', [eventId]);
      fixture.sandbox.control.clearFaults();
      await fixture.dataSource.query(`UPDATE webhook_events SET next_attempt_at = now() WHERE event_id = $1`, [`${eventId}:who-else`]);
      fixture.clock.advance(120_000); // the circuit is tried again
      await until(async () => (await question()) === 'completed');
      expect((await rows(eventId)).map(({ tenant }) => tenant)).toEqual(['acme', 'other']);
      const bodies = await fixture.dataSource.query<object[]>(
        `SELECT 1 FROM webhook_payloads WHERE position(convert_to($1, 'UTF8') IN body) > 0`,
        [text],
      );
      expect(bodies).toHaveLength(isErased ? 1 : 2);
    });

    it('that one person was named for reaches the others whose grants see it, and nobody else', async () => {
      const before = `Ev${'P'.repeat(10)}`;
      const body = JSON.stringify({
        type: 'event_callback',
        team_id: 'T_OURS',
        event_id: before,
        event_time: 1,
        event_context: eventContextOf(['T_OURS']),
        authorizations: [{ team_id: 'T_OURS', user_id: 'U_SOMEBODY_ELSE', is_bot: false, is_enterprise_install: false }],
        event: { type: 'message', channel: 'D1', ts: '1.1', text: 'private' },
      });
      const timestamp = String(Math.floor(fixture.clock.now() / 1000));
      const secret = fixture.sandbox.env()['SLACK_SIGNING_SECRET'] ?? '';
      const signature = `v0=${createHmac('sha256', secret).update(`v0:${timestamp}:${body}`).digest('hex')}`;
      const headers = { 'content-type': 'application/json', 'x-slack-request-timestamp': timestamp, 'x-slack-signature': signature };
      expect((await fetch(`${fixture.app.url}/webhooks/slack`, { method: 'POST', headers, body })).status).toBe(200);
      await until(async () => (await rows(before)).some(({ tenant }) => tenant === 'acme'));
      await until(allDone(before));
      expect((await rows(before)).map(({ tenant }) => tenant)).toEqual(['acme', null]);
    });
  } else if (asks) {
    it('is told once in the log', () => {
      const told = lines.filter((line) => line.includes('SLACK_APP_TOKEN'));
      expect(told).toHaveLength(1);
      expect(told[0]).toContain('invalid_auth');
      expect(lines.join('')).not.toContain('xapp-1-0');
    });
  }
});
