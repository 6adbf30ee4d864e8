import { randomUUID } from 'node:crypto';
import { ACCOUNTS } from './connect.steps';
import type { Report } from './report';
import { accountState, connectionPath, member, readRecords, type World } from './world';

interface Remote {
  readonly messages: { text: string }[];
  readonly subscriptions: { id: string; status: string; cancelAtPeriodEnd: boolean }[];
  readonly prices: { id: string }[];
  readonly emailsSent: { to: string; subject: string; text: string }[];
}

const HALF_A_YEAR_MS = 180 * 86_400_000;

/** Address of the events of half a year back and ahead. */
export function yearOfEvents(world: World): string {
  const day = (offset: number) => new Date(Date.now() + offset).toISOString();
  const window = new URLSearchParams({ timeMin: day(-HALF_A_YEAR_MS), timeMax: day(HALF_A_YEAR_MS) });
  return connectionPath(world, 'google', `/google/calendars/primary/events?${window.toString()}`);
}

/** What people do with a connection, once each, however often the request is sent. */
export async function actionSteps(world: World, report: Report): Promise<void> {
  const remote = async (provider: keyof typeof ACCOUNTS) => (await accountState(world, provider, ACCOUNTS[provider])) as unknown as Remote;

  await report.step('send a Slack message, the request sent twice', '201 and 201; 1 message in Slack', async () => {
    const [channel] = await readRecords(world, 'slack', 'channels').then((channels) =>
      channels.filter((one) => one.is_member && !one.is_archived),
    );
    const text = `Hello from the demo ${randomUUID().slice(0, 8)}`;
    const key = { 'idempotency-key': randomUUID() };
    const send = () => world.user.post(connectionPath(world, 'slack', '/slack/messages'), { channel: channel?.id, text }, key);
    const answers = [await send(), await send()];
    const posted = (await remote('slack')).messages.filter((message) => message.text === text);
    return `${answers.map((answer) => answer.status).join(' and ')}; ${posted.length} message in Slack`;
  });

  await report.step('start a Stripe subscription', '201 incomplete with a client secret; 1 more at Stripe', async () => {
    const before = (await remote('stripe')).subscriptions.length;
    const [customer] = await readRecords(world, 'stripe', 'customers');
    const answer = await world.user.post(
      connectionPath(world, 'stripe', '/stripe/subscriptions'),
      { customerId: customer?.id, priceId: (await remote('stripe')).prices[0]?.id },
      { 'idempotency-key': randomUUID() },
    );
    const secret = /_secret_/.test(member(answer, 'clientSecret')) ? 'with a client secret' : 'without a client secret';
    return `${answer.status} ${member(answer, 'status')} ${secret}; ${(await remote('stripe')).subscriptions.length - before} more at Stripe`;
  });

  await report.step('a card that is declined', '402 card_declined insufficient_funds', async () => {
    const declined = (await world.control.post('/stripe/customers', {
      account: ACCOUNTS.stripe,
      name: 'No funds',
      metadata: { sandbox_decline: 'insufficient_funds' },
    })) as { id: string };
    const answer = await world.user.post(
      connectionPath(world, 'stripe', '/stripe/subscriptions'),
      { customerId: declined.id, priceId: (await remote('stripe')).prices[0]?.id },
      { 'idempotency-key': randomUUID() },
    );
    return `${answer.status} ${member(answer, 'code')} ${member(answer, 'declineCode')}`;
  });

  await report.step('send an e-mail through Gmail', '201; 1 received: "Grüße aus der Demo"', async () => {
    const to = `friend-${randomUUID().slice(0, 8)}@example.test`;
    const answer = await world.user.post(
      connectionPath(world, 'google', '/google/emails'),
      { to: [to], subject: 'Grüße aus der Demo', text: 'It works.' },
      { 'idempotency-key': randomUUID() },
    );
    const received = (await remote('google')).emailsSent.filter((mail) => String(mail.to).includes(to));
    return `${answer.status}; ${received.length} received: "${received[0]?.subject ?? ''}"`;
  });

  await report.step('list calendar events of a year', '200, in order of their start', async () => {
    const answer = await world.user.get(yearOfEvents(world));
    const starts = (answer.body as { data: { start: string }[] }).data.map((event) => Date.parse(event.start));
    const ordered = starts.length > 0 && starts.every((start, index) => index === 0 || start >= (starts[index - 1] ?? 0));
    return `${answer.status}, ${ordered ? 'in order of their start' : 'out of order or empty'}`;
  });
}
