import { randomUUID } from 'node:crypto';
import { ACCOUNTS } from './connect.steps';
import type { Report } from './report';
import { accountState, connectionAt, failureOf, readRecords, type World } from './world';

interface Remote {
  readonly messages: { text: string }[];
  readonly subscriptions: { id: string; status: string; cancelAtPeriodEnd: boolean }[];
  readonly prices: { id: string }[];
  readonly emailsSent: { to: string; subject: string; text: string }[];
}

const HALF_A_YEAR_MS = 180 * 86_400_000;

/** The events of half a year back and ahead. */
export function yearOfEvents(world: World) {
  const day = (offset: number) => new Date(Date.now() + offset).toISOString();
  const path = { ...connectionAt(world, 'google'), calendarId: 'primary' };
  const query = { timeMin: day(-HALF_A_YEAR_MS), timeMax: day(HALF_A_YEAR_MS) };
  return world.user.get('/v1/connections/{id}/google/calendars/{calendarId}/events', { params: { path, query } });
}

/** What people do with a connection, once each, however often the request is sent. */
export async function actionSteps(world: World, report: Report): Promise<void> {
  const remote = async (provider: keyof typeof ACCOUNTS) => (await accountState(world, provider, ACCOUNTS[provider])) as unknown as Remote;
  const priceAt = async () => String((await remote('stripe')).prices[0]?.id);
  const subscribe = (customerId: string, priceId: string) =>
    world.user.raw.POST('/v1/connections/{id}/stripe/subscriptions', {
      params: { path: connectionAt(world, 'stripe') },
      body: { customerId, priceId },
    });

  await report.step('send a Slack message, the request sent twice', '201 and 201; 1 message in Slack', async () => {
    const [channel] = await readRecords(world, 'slack', 'channels').then((channels) =>
      channels.filter((one) => one.is_member && !one.is_archived),
    );
    const text = `Hello from the demo ${randomUUID().slice(0, 8)}`;
    const message = {
      params: { path: connectionAt(world, 'slack') },
      headers: { 'idempotency-key': randomUUID() },
      body: { channel: String(channel?.id), text },
    };
    const send = () => world.user.raw.POST('/v1/connections/{id}/slack/messages', message);
    const answers = [await send(), await send()];
    const posted = (await remote('slack')).messages.filter((each) => each.text === text);
    return `${answers.map(({ response }) => response.status).join(' and ')}; ${posted.length} message in Slack`;
  });

  await report.step('start a Stripe subscription', '201 incomplete with a client secret; 1 more at Stripe', async () => {
    const before = (await remote('stripe')).subscriptions.length;
    const [customer] = await readRecords(world, 'stripe', 'customers');
    const { data, response } = await subscribe(String(customer?.id), await priceAt());
    const secret = /_secret_/.test(String(data?.clientSecret)) ? 'with a client secret' : 'without a client secret';
    return `${response.status} ${data?.status} ${secret}; ${(await remote('stripe')).subscriptions.length - before} more at Stripe`;
  });

  await report.step('a card that is declined', '402 card_declined insufficient_funds', async () => {
    const declined = (await world.control.post('/stripe/customers', {
      account: ACCOUNTS.stripe,
      name: 'No funds',
      metadata: { sandbox_decline: 'insufficient_funds' },
    })) as { id: string };
    const body = { customerId: declined.id, priceId: await priceAt() };
    const call = world.user.post('/v1/connections/{id}/stripe/subscriptions', { params: { path: connectionAt(world, 'stripe') }, body });
    const { status, code, extra } = await failureOf(call);
    return `${status} ${code} ${String(extra.declineCode)}`;
  });

  await report.step('send an e-mail through Gmail', '201; 1 received: "Grüße aus der Demo"', async () => {
    const to = `friend-${randomUUID().slice(0, 8)}@example.test`;
    const { response } = await world.user.raw.POST('/v1/connections/{id}/google/emails', {
      params: { path: connectionAt(world, 'google') },
      body: { to: [to], subject: 'Grüße aus der Demo', text: 'It works.' },
    });
    const received = (await remote('google')).emailsSent.filter((mail) => String(mail.to).includes(to));
    return `${response.status}; ${received.length} received: "${received[0]?.subject ?? ''}"`;
  });

  await report.step('list calendar events of a year', 'some, in order of their start', async () => {
    const starts = (await yearOfEvents(world)).data.map((event) => Date.parse(String(event.start)));
    const ordered = starts.length > 0 && starts.every((start, index) => index === 0 || start >= (starts[index - 1] ?? 0));
    return `some, ${ordered ? 'in order of their start' : 'out of order or empty'}`;
  });
}
