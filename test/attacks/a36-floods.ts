import { connect } from 'node:net';
import type { Attack } from './lib/attack';
import { ask, type Answer, placeOf } from './lib/request';
import { Trials } from './lib/trials';

const SOCKETS = 300;

const flood: Attack = {
  id: 'A36',
  expected: 'a flood: 429 with Retry-After; X-Forwarded-For changes nothing',
  async run(arena) {
    const trials = new Trials();
    const service = await arena.production();
    const send = async (path: string, headers: (index: number) => Record<string, string>) => {
      const answers: Answer[] = [];
      for (let at = 0; at < 600; at += 30)
        answers.push(
          ...(await Promise.all(Array.from({ length: 30 }, (_, index) => ask(service.url, path, { headers: headers(at + index) })))),
        );
      return answers;
    };
    const token = await service.token({ tenant: 'flood' });
    for (const [name, path, headers] of [
      ['a stranger', '/errors', () => ({})],
      [
        'a stranger of many addresses, as it says',
        '/errors',
        (index: number) => ({
          'x-forwarded-for': `10.1.${index >> 8}.${index & 255}`,
          'x-real-ip': `10.2.0.${index & 255}`,
          forwarded: `for=10.3.0.${index & 255}`,
        }),
      ],
      [
        'one caller',
        '/v1/providers',
        (index: number) => ({ authorization: `Bearer ${token}`, 'x-forwarded-for': `10.4.0.${index & 255}` }),
      ],
    ] as const) {
      const answers = await send(path, headers);
      const slowed = answers.filter(({ status }) => status === 429);
      trials.add(
        name,
        slowed.length > 0 && answers.every(({ status }) => status === 200 || status === 429),
        `${name}: ${answers.length - slowed.length} x 200, ${slowed.length} x 429`,
      );
      trials.add(
        `${name}: told when to come back`,
        slowed.every((answer) => Number(answer.headers['retry-after']) >= 1 && answer.code === 'too_many_requests'),
      );
    }
    trials.status('another caller is not concerned', await service.as({ tenant: 'calm' }, '/v1/providers'), 200);
    return trials.verdict();
  },
};

const slow: Attack = {
  id: 'A37',
  expected: 'slow headers, slow bodies, idle sockets: closed in time, and others are served meanwhile',
  async run(arena) {
    const trials = new Trials();
    const { hostname, port, host } = placeOf(arena.service.url);
    const drip = (first: string, every: string, boundMs: number) =>
      new Promise<number | undefined>((resolve) => {
        const startedAt = performance.now();
        const socket = connect(Number(port), hostname, () => socket.write(first));
        const timer = setInterval(() => socket.writable && socket.write(every), 1_000);
        const late = setTimeout(() => end(undefined), boundMs);
        const end = (tookMs: number | undefined) => {
          clearInterval(timer);
          clearTimeout(late);
          socket.destroy();
          resolve(tookMs);
        };
        socket.on('error', () => undefined);
        socket.resume();
        socket.on('close', () => end(performance.now() - startedAt));
      });
    const idle = Promise.all(Array.from({ length: SOCKETS }, () => drip('', '', 45_000)));
    const headers = drip(`GET /health/live HTTP/1.1\r\nhost: ${host}\r\nx-slow: `, 'a', 45_000);
    const body = drip(
      `POST /webhooks/slack HTTP/1.1\r\nhost: ${host}\r\ncontent-type: application/json\r\ncontent-length: 100000\r\n\r\n`,
      '{',
      75_000,
    );
    const probes: number[] = [];
    for (let i = 0; i < 20; i++) {
      probes.push((await ask(arena.service.url, '/health/live')).durationMs);
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
    const took = { headers: await headers, body: await body, idle: await idle };
    const seconds = (ms: number | undefined) => (ms === undefined ? 'not closed' : `${(ms / 1_000).toFixed(0)} s`);
    trials.add('slow headers', took.headers !== undefined, `headers ${seconds(took.headers)}`);
    trials.add('a slow body', took.body !== undefined, `body ${seconds(took.body)}`);
    const open = took.idle.filter((ms) => ms === undefined).length;
    trials.add(
      'idle sockets',
      open === 0,
      `${SOCKETS - open} of ${SOCKETS} idle closed within ${seconds(Math.max(...took.idle.map((ms) => ms ?? 0)))}`,
    );
    trials.add('others are served', Math.max(...probes) < 3_000, `slowest probe meanwhile ${Math.round(Math.max(...probes))} ms`);
    trials.note(`shortened: ${SOCKETS} sockets, not 5,000`);
    return trials.verdict();
  },
};

export const attacks: readonly Attack[] = [flood, slow];
