import { HttpReceiver } from '../../src/integrations/notifications/testing/http-receiver';
import { atEnd } from '../faults/lib/clean-up';
import type { Attack } from './lib/attack';
import type { Answer } from './lib/request';
import { Relay } from './lib/relay';
import { Tripwire } from './lib/tripwire';
import { Trials } from './lib/trials';

const DESTINATIONS = '/v1/admin/destinations';
const ADMIN = { role: 'admin', user: 'root' } as const;

/** What leads inside, however it is written. `PORT` is where the trap waits. */
const INSIDE = [
  '127.0.0.1',
  '127.1',
  '127.0.1',
  '2130706433',
  '0x7f000001',
  '0x7f.1',
  '0177.0.0.1',
  '017700000001',
  '127.0.0.1.',
  '0.0.0.0',
  '0',
  '[::1]',
  '[::]',
  '[0:0:0:0:0:0:0:1]',
  '[::ffff:127.0.0.1]',
  '[::ffff:7f00:1]',
  '[::127.0.0.1]',
  '[64:ff9b::7f00:1]',
  '[2002:7f00:1::]',
  '\u2460\u2461\u2466.0.0.1',
  '\uff11\uff12\uff17.0.0.1',
  '127%2e0%2e0%2e1',
  'localhost',
  'LOCALHOST',
  'localhost.',
  'a.localhost',
  'trestle',
  'db.internal',
  'printer.local',
  'router.lan',
  'metadata.google.internal',
  '169.254.169.254',
  '0xa9fea9fe',
  '2852039166',
  '[fe80::1]',
  '[fd00:ec2::254]',
  '10.0.0.1',
  '10.1',
  '172.16.0.1',
  '172.31.255.255',
  '192.168.1.1',
  '100.64.0.1',
  '198.18.0.1',
  '192.0.2.1',
  '224.0.0.1',
  '240.0.0.1',
  '255.255.255.255',
  '[fc00::1]',
  '[ff02::1]',
];

const NAMES = ['inside', 'private', 'metadata', 'mapped', 'loopback6', 'nat64', 'mixed'].map((name) => `${name}.attacker.example`);

const inside: Attack = {
  id: 'A26',
  expected: 'addresses that lead inside, by any spelling, by scheme or by name: refused in production, nobody is reached',
  async run(arena) {
    const trials = new Trials();
    const service = await arena.production();
    const tripwire = await Tripwire.set();
    const create = (url: string) => service.as(ADMIN, DESTINATIONS, { body: { url, events: ['connection.connected'] } });
    for (const host of INSIDE) trials.status(host, await create(`https://${host}:${tripwire.port}/x`), 400, 422);
    const others = [
      `http://hooks.example.com/`,
      `https://user:pass@hooks.example.com/`,
      `https://hooks.example.com@127.0.0.1:${tripwire.port}/`,
      'file:///etc/passwd',
      'gopher://127.0.0.1:6379/_FLUSHALL',
      'ftp://hooks.example.com/',
      'javascript:alert(1)',
      'data:text/plain,x',
      `https:127.0.0.1:${tripwire.port}`,
      `https:\\\\127.0.0.1:${tripwire.port}\\`,
      '//hooks.example.com/',
      'hooks.example.com',
      '',
      'https://',
      'https://[::1',
      `unix:/var/run/docker.sock`,
    ];
    for (const url of others) trials.status(url || 'nothing', await create(url), 400, 422);

    const honest = await create('https://hooks.example.com/x');
    trials.status('an honest address', honest, 201);
    const { id } = honest.json as { id: string };
    for (const host of ['127.0.0.1', '[::1]', '2130706433']) {
      const url = `https://${host}:${tripwire.port}/x`;
      trials.status(
        `changed to ${host} later`,
        await service.as(ADMIN, `${DESTINATIONS}/${id}`, { method: 'PATCH', body: { url } }),
        400,
        422,
      );
    }
    for (const name of NAMES)
      trials.add(
        name,
        refusedAtConnect(await tryOut(create, service.as, `https://${name}:${tripwire.port}/x`)),
        'refused when it was resolved',
      );

    // The address of a provider's API: in production the sandbox's own is one that leads inside.
    const seq = arena.sandbox.control.lastSeq;
    const key = String(arena.sandbox.control.change('stripe', 'keys')['key']);
    const connected = await service.as({}, '/v1/connections', { body: { provider: 'stripe', apiKey: key } });
    trials.add('a provider’s API inside', connected.status >= 400, `${connected.status} ${connected.code}`);
    trials.add('the provider inside was not called', arena.sandbox.control.ledger({ kind: 'request', since: seq }).length === 0);
    trials.add('nobody was reached', tripwire.connections === 0, `${tripwire.connections} connections`);
    return trials.verdict();
  },
};

type As = (who: typeof ADMIN, path: string, request?: { method?: string; body?: object }) => Promise<Answer>;

/** Creates a destination, sends a test there, and removes it again. */
async function tryOut(create: (url: string) => Promise<Answer>, as: As, url: string): Promise<Answer> {
  const made = await create(url);
  if (made.status !== 201) return made;
  const { id } = made.json as { id: string };
  const tested = await as(ADMIN, `${DESTINATIONS}/${id}/test`, { method: 'POST', body: {} });
  await as(ADMIN, `${DESTINATIONS}/${id}`, { method: 'DELETE' });
  return tested;
}

function refusedAtConnect(answer: Answer): boolean {
  return answer.code === 'destination_refused' || /address_refused/.test(answer.text);
}

const redirects: Attack = {
  id: 'A27',
  expected: 'a name that changes its address, a redirect to metadata or to another host: refused, Authorization never goes along',
  async run(arena) {
    const trials = new Trials();
    const production = await arena.production();
    const tripwire = await Tripwire.set();
    const made = await production.as(ADMIN, DESTINATIONS, {
      body: { url: `https://rebind.attacker.example:${tripwire.port}/x`, events: ['connection.connected'] },
    });
    trials.status('a name that leads outside at first', made, 201);
    const { id } = made.json as { id: string };
    for (let turn = 1; turn <= 4; turn++) {
      const tested = await production.as(ADMIN, `${DESTINATIONS}/${id}/test`, { method: 'POST', body: {} });
      trials.add(
        `rebinding, turn ${turn}`,
        tested.status === 200 && !/"status":"(delivered|succeeded)"/.test(tested.text),
        /"error":"(\w+)"/.exec(tested.text)?.[1] ?? tested.status,
      );
    }
    trials.add('nobody inside was reached', tripwire.connections === 0, `${tripwire.connections} connections inside`);

    const evil = await Relay.start();
    atEnd(() => evil.stop());
    const evilHost = new URL(evil.url).host;
    const relayHost = new URL(arena.relay.url).host;
    const connection = await arena.connect('stripe');
    const targets = [
      'http://169.254.169.254/latest/meta-data/',
      `${evil.url}/stolen`,
      `//${evilHost}/stolen`,
      `http://${relayHost}@${evilHost}/stolen`,
      `http://localhost:${new URL(arena.relay.url).port}/v1/elsewhere`,
      `\\\\${evilHost}\\stolen`,
      `http:\\\\${evilHost}/stolen`,
      'file:///etc/passwd',
      'gopher://127.0.0.1:6379/_',
      `https://${relayHost}/v1/elsewhere`,
    ];
    const before = arena.relay.at('/v1/elsewhere').length;
    for (const status of [301, 302, 303, 307, 308])
      for (const target of targets) {
        arena.relay.misbehave.set('/v1/redirecting', (_, response) => response.writeHead(status, { location: target }).end());
        const answer = await arena.service.as({}, `/v1/connections/${connection}/proxy/v1/redirecting`);
        trials.add(`${status} to ${target}`, answer.status >= 300 && answer.headers.location === undefined, answer.status);
      }
    trials.add(
      'the other host was not reached',
      evil.received.length === 0 && arena.relay.at('/v1/elsewhere').length === before,
      `${evil.received.length} calls elsewhere`,
    );
    arena.relay.misbehave.set('/v1/redirecting', (_, response) => response.writeHead(302, { location: '/v1/redirecting' }).end());
    const loop = await arena.service.as({}, `/v1/connections/${connection}/proxy/v1/redirecting`);
    trials.add('a redirect in a circle ends', loop.status >= 300 && arena.relay.at('/v1/redirecting').length < 70, loop.status);

    const receiver = await HttpReceiver.start();
    atEnd(() => receiver.close());
    receiver.answers.set('/moved', (response) => response.writeHead(307, { location: `${evil.url}/stolen` }).end());
    const destination = await arena.service.as({ ...ADMIN, tenant: 'moved' }, DESTINATIONS, {
      body: { url: arena.outside(receiver.url('/moved')), events: ['connection.connected'] },
    });
    const { id: moved } = destination.json as { id: string };
    const sent = await arena.service.as({ ...ADMIN, tenant: 'moved' }, `${DESTINATIONS}/${moved}/test`, { method: 'POST', body: {} });
    trials.add(
      'a destination that redirects',
      /http_307/.test(sent.text) && receiver.at('/moved').length === 1 && evil.received.length === 0,
      'not followed',
    );
    return trials.verdict();
  },
};

export const attacks: readonly Attack[] = [inside, redirects];
