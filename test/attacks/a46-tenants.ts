import { randomUUID } from 'node:crypto';
import { until } from '../faults/lib/waiting';
import type { Attack } from './lib/attack';
import type { Arena } from './lib/arena';
import { deliver, nowS, slackSignature, stripeBody, stripeDelivery } from './lib/delivery';
import type { Instance, Who } from './lib/instance';
import { Trials } from './lib/trials';

const ADA: Who = { tenant: 'shared-a', user: 'ada' };
const BOB: Who = { tenant: 'shared-b', user: 'bob' };
const OPERATOR: Who = { tenant: 'operations', user: 'olga', role: 'operator' };
const WITHIN_MS = 60_000;

interface EventRow {
  readonly connectionId: string | null;
  readonly status: string;
}

async function rowsOf(service: Instance, eventId: string): Promise<EventRow[]> {
  return ((await service.as(OPERATOR, `/v1/admin/webhook-events?eventId=${encodeURIComponent(eventId)}`)).json as { data: EventRow[] })
    .data;
}

/** A Slack event that this service was sent for the people or the app that are named. */
async function slackEvent(arena: Arena, service: Instance, team: string, authorizations: object[]): Promise<string> {
  const eventId = `Ev${randomUUID()}`;
  const body = JSON.stringify({
    type: 'event_callback',
    team_id: team,
    api_app_id: 'A1',
    event_id: eventId,
    event_time: Number(nowS()),
    authorizations: authorizations.map((each) => ({ team_id: team, is_enterprise_install: false, ...each })),
    event: { type: 'message', channel: 'C1', ts: `${nowS()}.000100`, text: `private-${eventId}` },
  });
  await deliver(service.url, 'slack', body, {
    'content-type': 'application/json',
    ...slackSignature(arena.secret('SLACK_SIGNING_SECRET'), body),
  });
  return eventId;
}

const unseen: Attack = {
  id: 'A46',
  expected: 'an event that only another tenant’s grant may see: neither a record nor an event row for the others',
  async run(arena) {
    const trials = new Trials();
    const service = await arena.product();
    const [own, other] = [await arena.connect('slack', ADA, 'T_SEEN', service), await arena.connect('slack', BOB, 'T_SEEN', service)];
    const everybody = await slackEvent(arena, service, 'T_SEEN', [{ is_bot: true, user_id: 'U0BOT' }]);
    const rows = await rowsOf(service, everybody);
    trials.add(
      'what the app sees goes to both',
      rows.length === 2 && rows.some((row) => row.connectionId === own) && rows.some((row) => row.connectionId === other),
      `${rows.length} rows`,
    );
    const stranger = await slackEvent(arena, service, 'T_SEEN', [{ is_bot: false, user_id: 'U_OF_NOBODY_HERE' }]);
    const told = (await rowsOf(service, stranger)).filter(({ connectionId }) => connectionId !== null);
    trials.add('what one person’s grant sees goes to nobody else', told.length === 0, `${told.length} rows`);
    const apart = [await arena.connect('stripe', ADA, 'acct_seena', service), await arena.connect('stripe', BOB, 'acct_seenb', service)];
    const { eventId, body, headers } = stripeDelivery(arena, nowS(), stripeBody(`evt_${randomUUID()}`, 'acct_seena'));
    await deliver(service.url, 'stripe', body, headers);
    const mine = await rowsOf(service, eventId);
    trials.add(
      'an account’s, to its owner alone',
      mine.length === 1 && mine[0]?.connectionId === apart[0],
      `${mine.length} row${mine[0]?.connectionId === null ? ' of no connection' : ''}${mine[0]?.connectionId === apart[1] ? ' of the other' : ''}`,
    );
    const feed = await service.as(BOB, `/v1/connections/${other}/records/messages`);
    trials.add('no record of it', !feed.text.includes(stranger), feed.status);
    for (const id of [everybody, stranger, eventId]) {
      const seen = (await service.as({ ...BOB, role: 'admin', user: 'boss' }, `/v1/admin/webhook-events?eventId=${id}`)).json as {
        data: EventRow[];
      };
      trials.add(
        'nor in the list of the other’s administrator',
        seen.data.every(({ connectionId }) => connectionId === other),
      );
    }
    return trials.verdict();
  },
};

const apart: Attack = {
  id: 'A47',
  expected: 'a disconnect in one tenant: the other’s connection of the same account works on, and the last one ends the grant',
  async run(arena) {
    const trials = new Trials();
    const service = await arena.product();
    const [own, other] = [await arena.connect('slack', ADA, 'T_APART', service), await arena.connect('slack', BOB, 'T_APART', service)];
    const revoked = (since: number) =>
      arena.sandbox.control
        .ledger({ kind: 'request', provider: 'slack', since })
        .filter(({ endpoint }) => /uninstall|revoke/.test(endpoint ?? '')).length;
    const use = () => service.as(BOB, `/v1/connections/${other}/slack/channels`);
    const before = arena.sandbox.control.lastSeq;
    trials.status('both work', await use(), 200);
    const ended = await service.as(ADA, `/v1/connections/${own}`, { method: 'DELETE' });
    trials.status('one disconnects', ended, 200);
    trials.status('the other works on', await use(), 200);
    trials.add('the installation stands', revoked(before) === 0 || (await use()).status === 200, `${revoked(before)} calls that revoke`);
    trials.status('the ended one is dead', await service.as(ADA, `/v1/connections/${own}/slack/channels`), 404, 409);
    const last = await service.as(BOB, `/v1/connections/${other}`, { method: 'DELETE' });
    trials.add('the last one revokes', last.status === 200 && (last.json as { revoked: boolean }).revoked, 'revoked');
    return trials.verdict();
  },
};

const ended: Attack = {
  id: 'A48',
  expected: 'ended grants receive nothing',
  async run(arena) {
    const trials = new Trials();
    const service = await arena.product();
    const who: Who = { tenant: 'ended', user: 'ada' };
    const id = await arena.connect('stripe', who, 'acct_ended', service);
    await service.as(who, `/v1/connections/${id}`, { method: 'DELETE' });
    const slack = await arena.connect('slack', who, 'T_ENDED', service);
    await service.as(who, `/v1/connections/${slack}`, { method: 'DELETE' });
    const { eventId, body, headers } = stripeDelivery(arena, nowS(), stripeBody(`evt_${randomUUID()}`, 'acct_ended'));
    trials.status('a signed delivery', await deliver(service.url, 'stripe', body, headers), 200);
    const told = await slackEvent(arena, service, 'T_ENDED', [{ is_bot: true, user_id: 'U0BOT' }]);
    for (const event of [eventId, told]) {
      const rows = await rowsOf(service, event);
      trials.add(
        'no row of an ended connection',
        rows.every(({ connectionId }) => connectionId === null),
        `${rows.length} rows, none of a connection`,
      );
    }
    for (const path of ['slack/channels', 'proxy/conversations.list'])
      trials.add(`${path} is not called`, (await service.as(who, `/v1/connections/${slack}/${path}`)).status >= 400);
    const runs = await service.as(who, `/v1/connections/${id}/syncs`, { body: { type: 'full' } });
    trials.add('nor synced', runs.status >= 400, runs.status);
    return trials.verdict();
  },
};

const purged: Attack = {
  id: 'A53',
  expected: 'after a purge or an erasure nothing is left: found by grep over the whole database',
  last: true,
  boundS: 300,
  async run(arena) {
    const trials = new Trials();
    const service = await arena.product();
    const who: Who = { tenant: 'purged', user: 'paula' };
    const admin: Who = { tenant: 'purged', user: 'boss', role: 'admin' };
    const canary = `canary${randomUUID().replaceAll('-', '')}`;
    const accounts = ['acct_purged', 'T_PURGED', 'T_ERASED'];
    const stripe = await arena.connect('stripe', who, accounts[0], service);
    const slack = await arena.connect('slack', who, accounts[1], service);
    const erased = await arena.connect('slack', { ...who, user: 'erika' }, accounts[2], service);
    for (const [user, id] of [
      ['paula', slack],
      ['erika', erased],
    ] as const)
      await service.as({ ...who, user }, `/v1/connections/${id}/slack/messages`, {
        body: { channel: 'C1', text: canary },
        headers: { 'idempotency-key': `${canary}-${user}` },
      });
    const { eventId, body, headers } = stripeDelivery(
      arena,
      nowS(),
      stripeBody(`evt_${canary}`, accounts[0], { id: 'ch_1', object: 'charge', description: canary }),
    );
    await deliver(service.url, 'stripe', body, headers);
    const settled = await until(
      async () => (await rowsOf(service, eventId)).every(({ status }) => status === 'completed' || status === 'dead'),
      WITHIN_MS,
      200,
    );
    trials.add('the event was handled', settled !== undefined);
    for (const id of [stripe, slack])
      trials.status('purged', await service.as(who, `/v1/connections/${id}?purge=true`, { method: 'DELETE' }), 200);
    trials.status('erased', await service.as(admin, '/v1/admin/users/erika', { method: 'DELETE' }), 200);
    const [member] = service.cluster.members;
    await member?.stop();
    const needles = [...accounts, canary, Buffer.from(canary).toString('hex')];
    const rows = await everyRow(service);
    const found = rows.filter(({ text }) => needles.some((needle) => text.includes(needle)));
    trials.add(
      'nothing is left',
      rows.length > 0 && found.length === 0,
      `${found.length} of ${rows.length} rows${found.length ? `: ${[...new Set(found.map(({ table }) => table))].join(', ')}` : ''}`,
    );
    await member?.start();
    return trials.verdict();
  },
};

/** The whole database as text. */
export async function everyRow(service: Instance): Promise<{ table: string; text: string }[]> {
  const tables = await service.cluster.query<{ name: string }>(
    `SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public' AND table_type = 'BASE TABLE'`,
  );
  const union = tables.map(({ name }) => `SELECT '${name}' AS "table", t::text AS text FROM "${name}" t`).join(' UNION ALL ');
  return service.cluster.query(union);
}

const audited: Attack = {
  id: 'A54',
  expected: 'every act stands in the audit with its actor, refusals as well',
  async run(arena) {
    const trials = new Trials();
    const service = await arena.product();
    const who: Who = { tenant: 'audited', user: 'ada' };
    const admin: Who = { tenant: 'audited', user: 'boss', role: 'admin' };
    const id = await arena.connect('slack', who, 'T_AUDITED', service);
    const messages = `/v1/connections/${id}/slack/messages`;
    await service.as(who, messages, { body: { channel: 'C_NOT_THERE', text: 'x' } });
    await service.as(who, `/v1/connections/${id}/proxy/x@evil.example`);
    await service.as(who, `/v1/connections/${id}/proxy/admin.users.list`);
    await service.as(admin, `/v1/connections/${id}/slack/channels`);
    await service.as(admin, '/v1/admin/destinations', { body: { url: 'https://169.254.169.254/', events: ['sync.completed'] } });
    const made = (
      await service.as(admin, '/v1/admin/destinations', { body: { url: 'https://hooks.example.com/', events: ['sync.completed'] } })
    ).json as { id: string };
    await service.as({ ...OPERATOR }, `/v1/admin/destinations/${made.id}/pause`, { method: 'POST', body: {} });
    await service.as(admin, '/v1/admin/users/ada/export');
    await service.as(admin, `/v1/connections/${id}?purge=true`, { method: 'DELETE' });
    const { data } = (await service.as(admin, '/v1/admin/audit?limit=1000')).json as {
      data: { action: string; outcome: string; target: string; requestId: string | null; actor: { userId: string; role: string } }[];
    };
    const expected: readonly [string, string, string, RegExp][] = [
      ['connection.connect', 'ada', 'user', /^ok$/],
      ['operation.run', 'ada', 'user', /^(?!ok|started)/],
      ['proxy.call', 'ada', 'user', /^destination_refused$/],
      ['proxy.call', 'ada', 'user', /^proxy_not_allowed$/],
      ['operation.run', 'boss', 'admin', /./],
      ['destination.create', 'boss', 'admin', /^destination_refused$/],
      ['destination.create', 'boss', 'admin', /^ok$/],
      ['destination.update', 'olga', 'operator', /^ok$/],
      ['user.export', 'boss', 'admin', /^ok$/],
      ['connection.disconnect', 'boss', 'admin', /^ok$/],
      ['connection.purge', 'boss', 'admin', /^ok$/],
    ];
    for (const [action, user, role, outcome] of expected)
      trials.add(
        `${action} by ${user}: ${outcome.source}`,
        data.some(
          (entry) =>
            entry.action === action &&
            entry.actor.userId === user &&
            entry.actor.role === role &&
            outcome.test(entry.outcome) &&
            entry.requestId !== null,
        ),
        action,
      );
    trials.add(
      'nothing is left begun',
      data.every(({ outcome }) => outcome !== 'started'),
    );
    return trials.verdict();
  },
};

export const attacks: readonly Attack[] = [unseen, apart, ended, purged, audited];
