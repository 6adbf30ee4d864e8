import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { atEnd } from '../faults/lib/clean-up';
import { until } from '../faults/lib/waiting';
import type { Attack } from './lib/attack';
import type { Arena } from './lib/arena';
import { startInstance, type Instance } from './lib/instance';
import { judgeStart } from './lib/refused-start';
import { Trials } from './lib/trials';

const CHANGES = [
  'untouched',
  'moved here',
  'moved there',
  'a bit flipped',
  'another key id',
  'a key id that there is not',
  'the tag cut',
  'emptied',
  'plain text',
] as const;
type Change = (typeof CHANGES)[number];

interface Tampered {
  readonly service: Instance;
  readonly connections: ReadonlyMap<Change, string>;
}

let once: Promise<Tampered> | undefined;

/** A service of its own with a connection for each way to tamper, tampered with while it was stopped. */
function tampered(arena: Arena): Promise<Tampered> {
  once ??= (async () => {
    const service = await startInstance({
      ...arena.sandbox.env(),
      ENCRYPTION_KEYS: `one:${randomBytes(32).toString('base64')},two:${randomBytes(32).toString('base64')}`,
      WORKERS: 'true',
    });
    atEnd(() => service.stop());
    const connections = new Map<Change, string>();
    for (const change of CHANGES) {
      const account = `acct_tampered${CHANGES.indexOf(change)}`;
      const made = await service.as({ tenant: 'tampered' }, '/v1/connections', {
        body: { provider: 'stripe', apiKey: String(arena.sandbox.control.change('stripe', 'keys', { account })['key']) },
      });
      connections.set(change, (made.json as { id: string }).id);
    }
    const [member] = service.cluster.members;
    await member?.stop();
    const token = async (change: Change) =>
      (
        await service.cluster.query<{ access_token: string }>('SELECT access_token FROM tokens WHERE connection_id = $1', [
          connections.get(change),
        ])
      )[0]?.access_token ?? '';
    const write = (change: Change, text: string) =>
      service.cluster.query('UPDATE tokens SET access_token = $2 WHERE connection_id = $1', [connections.get(change), text]);
    const [here, there] = [await token('moved here'), await token('moved there')];
    await write('moved here', there);
    await write('moved there', here);
    await write('a bit flipped', flipped(await token('a bit flipped')));
    await write('another key id', (await token('another key id')).replace(':one:', ':two:'));
    await write('a key id that there is not', (await token('a key id that there is not')).replace(':one:', ':none:'));
    await write('the tag cut', cut(await token('the tag cut')));
    await write('emptied', 'v1:one:');
    await write('plain text', String(arena.sandbox.control.change('stripe', 'keys', { account: 'acct_plain' })['key']));
    await member?.start();
    return { service, connections };
  })();
  return once;
}

function flipped(text: string): string {
  const [version, key, data = ''] = text.split(':');
  const bytes = Buffer.from(data, 'base64url');
  bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
  return [version, key, bytes.toString('base64url')].join(':');
}

/** Twelve bytes less of the tag: some libraries take four for a whole one. */
function cut(text: string): string {
  const [version, key, data = ''] = text.split(':');
  const bytes = Buffer.from(data, 'base64url');
  return [version, key, Buffer.concat([bytes.subarray(0, 16), bytes.subarray(28)]).toString('base64url')].join(':');
}

const moved: Attack = {
  id: 'A29',
  expected:
    'stored secrets moved between rows, changed by a bit, under another key or cut: not opened, nothing is sent, an alert tells of it',
  boundS: 420,
  async run(arena) {
    const trials = new Trials();
    const { service, connections } = await tampered(arena);
    for (const [change, id] of connections) {
      const seq = arena.sandbox.control.lastSeq;
      const answer = await service.as({ tenant: 'tampered' }, `/v1/connections/${id}/proxy/v1/products?limit=1`);
      if (change === 'untouched') {
        trials.status('an untouched one', answer, 200);
        continue;
      }
      const sent = arena.sandbox.control
        .ledger({ kind: 'request', provider: 'stripe', since: seq })
        .filter(({ path }) => path === '/v1/products');
      trials.add(change, answer.status >= 400 && sent.length === 0, `${answer.status} ${answer.code}`);
      trials.add(`${change}: not a word of it`, !/[sr]k_test|v1:/.test(answer.text));
    }
    const admin = { tenant: 'tampered', user: 'root', role: 'admin' } as const;
    let alerts = '';
    const told = await until(
      async () => {
        alerts =
          (await service.as(admin, '/v1/admin/alerts')).text + (await service.as({ ...admin, role: 'operator' }, '/v1/admin/alerts')).text;
        return /secret|decrypt|encryption|lost/i.test(alerts);
      },
      90_000,
      1_000,
    );
    trials.add('an alert', told !== undefined, told === undefined ? 'no alert' : 'alert');
    return trials.verdict();
  },
};

interface BadStart {
  readonly env: Readonly<Record<string, string>>;
  /** What the sentence must name. */
  readonly names: RegExp;
}

const GOOD_KEY = randomBytes(32).toString('base64');

/** What is missing or wrong in a production start; all else is right. */
const BAD_STARTS: Readonly<Record<string, BadStart>> = {
  'no keys': { env: { ENCRYPTION_KEYS: '' }, names: /ENCRYPTION_KEYS/ },
  'a short key': { env: { ENCRYPTION_KEYS: `k1:${randomBytes(16).toString('base64')}` }, names: /ENCRYPTION_KEYS.*16 bytes/ },
  'a long key': { env: { ENCRYPTION_KEYS: `k1:${randomBytes(64).toString('base64')}` }, names: /ENCRYPTION_KEYS.*64 bytes/ },
  'a key of zeros': { env: { ENCRYPTION_KEYS: `k1:${Buffer.alloc(32).toString('base64')}` }, names: /ENCRYPTION_KEYS.*not random/ },
  'a key of one letter': {
    env: { ENCRYPTION_KEYS: `k1:${Buffer.alloc(32, 'a').toString('base64')}` },
    names: /ENCRYPTION_KEYS.*not random/,
  },
  'no key id': { env: { ENCRYPTION_KEYS: GOOD_KEY }, names: /ENCRYPTION_KEYS.*form/ },
  'an id twice': { env: { ENCRYPTION_KEYS: `k1:${GOOD_KEY},k1:${randomBytes(32).toString('base64')}` }, names: /ENCRYPTION_KEYS.*twice/ },
  'no secret for tokens': { env: { API_JWT_SECRET: '' }, names: /API_JWT_SECRET/ },
  'a short secret for tokens': { env: { API_JWT_SECRET: 'short' }, names: /API_JWT_SECRET/ },
  'the sandbox': { env: { SANDBOX: 'on' }, names: /SANDBOX/ },
  'no public address': { env: { PUBLIC_URL: '' }, names: /PUBLIC_URL/ },
};

const starts: Attack = {
  id: 'A30',
  expected: 'missing, short, zero or wrong ENCRYPTION_KEYS in production: it ends with one clear sentence, and shows no key',
  boundS: 480,
  async run(arena) {
    const trials = new Trials();
    const folder = await mkdtemp(join(tmpdir(), 'trestle-start-'));
    atEnd(() => rm(folder, { recursive: true, force: true }));
    for (const [name, { env, names }] of Object.entries(BAD_STARTS)) {
      const all = {
        NODE_ENV: 'production',
        DATA_DIR: join(folder, 'data'),
        PUBLIC_URL: 'https://trestle.example.com',
        ENCRYPTION_KEYS: `k1:${GOOD_KEY}`,
        API_JWT_SECRET: randomBytes(32).toString('hex'),
        PORT: '0',
        SANDBOX: 'off',
        ...env,
      };
      await judgeStart(trials, name, all, names);
    }
    const { service } = await tampered(arena);
    await service.cluster.members[0]?.stop();
    const stored = { ...service.cluster.env, PORT: '0' };
    const [one = '', two = ''] = (stored['ENCRYPTION_KEYS' as keyof typeof stored] ?? '').split(',');
    await judgeStart(
      trials,
      'another key under the same id',
      { ...stored, ENCRYPTION_KEYS: `one:${GOOD_KEY},${two}` },
      /ENCRYPTION_KEYS.*"one"/,
    );
    await judgeStart(trials, 'the key that rows need is gone', { ...stored, ENCRYPTION_KEYS: two }, /ENCRYPTION_KEYS.*"one"/);
    await judgeStart(
      trials,
      'two keys changed for each other',
      { ...stored, ENCRYPTION_KEYS: `${one.replace('one:', 'two:')},${two.replace('two:', 'one:')}` },
      /ENCRYPTION_KEYS.*"(one|two)"/,
    );
    return trials.verdict();
  },
};

export const attacks: readonly Attack[] = [moved, starts];
