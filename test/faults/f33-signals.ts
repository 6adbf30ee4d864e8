import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SignJWT } from 'jose';
import { Client } from 'pg';
import type { Services } from '../../bench/lib/benchmark';
import { startSandbox, type Sandbox } from '../../sandbox';
import { createDatabase, dropDatabase, withDatabase } from '../support/service-cluster';
import { atEnd } from './lib/clean-up';
import type { Fault, Stage } from './lib/fault';
import { onFreePort } from './lib/free-port';
import { idsOf, isAcknowledged } from './lib/judge';
import { seconds, sleep, until } from './lib/waiting';

const ROOT = join(__dirname, '../..');
/** On a busy machine, with a build before the first start. */
const STARTS_WITHIN_MS = 300_000;
const ENDS_WITHIN_MS = 25_000;
/** A call that is under way at the signal takes so long at the provider. */
const CALL_TAKES_MS = 3_000;
/** One that no sync asks for. */
const SLOW = 'account.retrieve';
const ACCOUNT = 'acct_signal';
const AS_FIRST = ['unshare', '--pid', '--fork', '--mount-proc', '--kill-child'];

/** A way to start the service, and to ask it to end. */
interface Way {
  readonly name: string;
  readonly command: readonly string[];
  readonly signal: 'SIGTERM' | 'SIGINT';
  /** Who gets it: the process that was started, its child, or everybody of the terminal, as with Ctrl-C. */
  readonly to: 'process' | 'child' | 'terminal';
}

/** `npm start` first: in a fresh clone it builds what `node` starts. */
const WAYS: readonly Way[] = [
  { name: 'npm start', command: ['npm', 'start'], signal: 'SIGTERM', to: 'process' },
  { name: 'node', command: ['node', 'dist/main.js'], signal: 'SIGTERM', to: 'process' },
  { name: 'npm start, Ctrl-C', command: ['npm', 'start'], signal: 'SIGINT', to: 'terminal' },
  { name: 'npm start as PID 1', command: [...AS_FIRST, 'npm', 'start'], signal: 'SIGTERM', to: 'child' },
  { name: 'node as PID 1', command: [...AS_FIRST, 'node', 'dist/main.js'], signal: 'SIGTERM', to: 'child' },
];

export const fault: Fault = {
  id: 'F33',
  promise:
    'SIGTERM to npm start (also as PID 1) and to the process itself, Ctrl-C there and in the demo: what is under way is answered, exit 0 within 25 s, nothing is left behind',
  stages: ['server', 'embedded'],
  boundS: 1_800,
  async run(stage, services) {
    const told: { ok: boolean | null; seen: string }[] = [];
    // A way that breaks says nothing of the others; each is told as it ends.
    const add = async (name: string, trial: Promise<{ ok: boolean | null; seen: string }>) => {
      const one = await trial.catch((error: unknown) => ({ ok: false, seen: `${name} broke: ${String(error).slice(0, 600)}` }));
      process.stderr.write(`    ${one.seen}\n`);
      told.push(one);
    };
    for (const way of WAYS) await add(way.name, tryWay(way, stage, services));
    for (const moment of ['while it works', 'when it waits'] as const) await add(`demo ${moment}`, tryDemo(moment, stage, services));
    const ran = told.filter(({ ok }) => ok !== null);
    return { ok: ran.every(({ ok }) => ok) && ran.length >= WAYS.length - 2, seen: told.map(({ seen }) => seen).join('; ') };
  },
};

async function tryWay(way: Way, stage: Stage, services: Services): Promise<{ ok: boolean | null; seen: string }> {
  if (way.command[0] === 'unshare' && spawnSync('unshare', [...AS_FIRST.slice(1), 'true']).status !== 0)
    return { ok: null, seen: `${way.name}: not run, no namespaces here` };
  const sandbox = await startSandbox({ autoConsent: 'allow' });
  atEnd(() => sandbox.stop());
  const storage = await storageOf(stage, services);
  const secret = randomBytes(32).toString('hex');
  const mark = randomUUID();
  const env = {
    ...sandbox.env(),
    ...storage.env,
    NODE_ENV: 'test',
    SANDBOX: 'off',
    API_JWT_SECRET: secret,
    LOG_LEVEL: 'warn',
    REQUESTS_PER_SECOND: '100000',
    FAULT_MARK: mark,
  };
  const { child, url } = await onFreePort(async (port) => {
    const started = start(way.command, { ...env, PORT: String(port), PUBLIC_URL: `http://127.0.0.1:${port}` });
    const url = `http://127.0.0.1:${port}`;
    const listens = await until(() => hasEnded(started) || answers(`${url}/health/ready`, 200), STARTS_WITHIN_MS, 200);
    if (listens === undefined) throw new Error(`${way.name} did not start in time.`);
    if (!hasEnded(started)) return { child: started, url };
    if (!started.said().includes('is taken by another program')) throw new Error(`${way.name} ended: ${started.said().slice(-2_000)}`);
    return undefined;
  });
  const call = await slowCall(sandbox, url, secret);
  sandbox.setWebhookTarget(url);
  let over = false;
  const sending = (async () => {
    while (!over)
      await sandbox.control.deliver({
        provider: 'stripe',
        type: ['charge.succeeded'],
        account: [ACCOUNT],
        count: 50,
        concurrency: 5,
        retries: 0,
      });
  })();
  await until(() => deliveries(sandbox).filter(isAcknowledged).length > 20, 30_000, 20);
  const asked = () => sandbox.control.ledger({ kind: 'request', provider: 'stripe', endpoint: SLOW }).length;
  const before = asked();
  const answer = call();
  await until(() => asked() > before, 30_000, 20);
  const began = performance.now();
  send(child, way);
  const unready = until(() => answers(`${url}/health/ready`, 503), 20_000, 20);
  const code = await exitOf(child);
  const ms = performance.now() - began;
  const left = await leftOf(mark);
  over = true;
  await sending;
  const status = await answer;
  const wasUnready = (await Promise.race([unready, sleep(0)])) !== undefined;
  const acknowledged = idsOf(deliveries(sandbox).filter(isAcknowledged));
  const stored = await storage.eventIds();
  const lost = [...acknowledged].filter((id) => !stored.has(id));
  return {
    ok: code === 0 && ms <= ENDS_WITHIN_MS && left === 0 && status === 200 && wasUnready && lost.length === 0 && acknowledged.size > 0,
    seen: `${way.name}: exit ${code} after ${seconds(ms)}, the call under way answered ${status}, ready ${wasUnready ? '503' : 'NEVER 503'}, ${lost.length} of ${acknowledged.size} acknowledged lost, ${left} processes left`,
  };
}

async function tryDemo(moment: 'while it works' | 'when it waits', stage: Stage, services: Services) {
  const folder = mkdtempSync(join(tmpdir(), 'trestle-demo-'));
  atEnd(() => rmSync(folder, { recursive: true, force: true }));
  const before = await databasesOn(services);
  const mark = randomUUID();
  const env = {
    DATA_DIR: folder,
    FAULT_MARK: mark,
    PORT: '0',
    ...(stage === 'server' && { DATABASE_URL: services.databaseUrl, REDIS_URL: services.redisUrl }),
  };
  const child = start(['npm', 'run', 'demo'], env);
  const sign = moment === 'when it waits' ? 'Press Ctrl-C' : 'connect';
  const reached = await until(() => hasEnded(child) || child.said().includes(sign), STARTS_WITHIN_MS, 100);
  if (reached === undefined || hasEnded(child))
    return { ok: false, seen: `the demo did not come to where it ${moment}: ${child.said().slice(-300)}` };
  const began = performance.now();
  send(child, { signal: 'SIGINT', to: 'terminal' });
  const code = await exitOf(child);
  const ms = performance.now() - began;
  const left = await leftOf(mark);
  const files = readdirSync(folder).length;
  const databases = (await databasesOn(services)).filter((name) => name.includes('demo') && !before.includes(name)).length;
  // Whoever is cut off in the middle has not shown what it is to show.
  const codeOk = moment === 'when it waits' ? code === 0 : code !== -1;
  return {
    ok: codeOk && ms <= ENDS_WITHIN_MS && left === 0 && files === 0 && databases === 0,
    seen: `demo, Ctrl-C ${moment}: exit ${code} after ${seconds(ms)}, ${left} processes, ${files} folders and ${databases} databases left`,
  };
}

interface Started extends ChildProcess {
  said(): string;
}

/** In a group of its own, as a shell starts what stands in its terminal. */
function start(command: readonly string[], env: Readonly<Record<string, string | undefined>>): Started {
  const [program = '', ...args] = command;
  const child = spawn(program, args, { cwd: ROOT, detached: true, stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (part: Buffer) => (said = (said + part.toString()).slice(-20_000)));
  atEnd(() => {
    if (!hasEnded(child)) process.kill(-(child.pid ?? 0), 'SIGKILL');
  });
  return Object.assign(child, { said: () => said });
}

function send({ pid = 0 }: ChildProcess, { signal, to }: Pick<Way, 'signal' | 'to'>): void {
  if (to === 'terminal') process.kill(-pid, signal);
  else if (to === 'process') process.kill(pid, signal);
  else process.kill(Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ')[0]), signal);
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

/** -1 where it goes on; null where a signal ended it. */
async function exitOf(child: ChildProcess): Promise<number | null> {
  if (hasEnded(child)) return child.exitCode;
  return Promise.race([once(child, 'exit').then(([code]) => code as number | null), sleep(ENDS_WITHIN_MS + 10_000).then(() => -1)]);
}

/** Processes that were started with the mark and are still there a moment later. */
async function leftOf(mark: string): Promise<number> {
  const marked = () =>
    readdirSync('/proc').filter((pid) => {
      if (!/^\d+$/.test(pid)) return false;
      try {
        return readFileSync(`/proc/${pid}/environ`, 'utf8').includes(`FAULT_MARK=${mark}`);
      } catch {
        return false; // it ended while we looked
      }
    }).length;
  await until(() => marked() === 0, 3_000);
  return marked();
}

function answers(url: string, status: number): Promise<boolean> {
  return fetch(url, { signal: AbortSignal.timeout(3_000) }).then(
    (answer) => answer.status === status,
    () => false,
  );
}

function deliveries(sandbox: Sandbox) {
  return sandbox.control.ledger({ kind: 'delivery', provider: 'stripe' });
}

/** @returns what asks through the proxy for something that takes a while, and resolves with the status; 0 where nothing answered */
async function slowCall(sandbox: Sandbox, url: string, secret: string): Promise<() => Promise<number>> {
  const token = await new SignJWT({ tenant: 'acme', role: 'user' })
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject('ada')
    .setJti(randomUUID())
    .setExpirationTime('1h')
    .sign(Buffer.from(secret));
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const apiKey = String(sandbox.control.change('stripe', 'keys', { account: ACCOUNT })['key']);
  const made = await fetch(`${url}/v1/connections`, { method: 'POST', headers, body: JSON.stringify({ provider: 'stripe', apiKey }) });
  const { id } = (await made.json()) as { id: string };
  sandbox.control.addFault({ kind: 'latency', provider: 'stripe', endpoint: SLOW, latencyMs: CALL_TAKES_MS });
  return () =>
    fetch(`${url}/v1/connections/${id}/proxy/v1/account`, { headers }).then(
      (answer) => answer.arrayBuffer().then(() => answer.status),
      () => 0,
    );
}

async function storageOf(stage: Stage, services: Services) {
  const dataDir = mkdtempSync(join(tmpdir(), 'trestle-signals-'));
  atEnd(() => rmSync(dataDir, { recursive: true, force: true }));
  const databaseUrl = stage === 'server' ? await createDatabase(services.databaseUrl ?? '') : undefined;
  if (databaseUrl) atEnd(() => dropDatabase(services.databaseUrl ?? '', databaseUrl));
  const env = { DATA_DIR: dataDir, ...(databaseUrl && { DATABASE_URL: databaseUrl, REDIS_URL: services.redisUrl ?? '' }) };
  const eventIds = () =>
    withDatabase({ dataDir, databaseUrl }, async (database) => {
      const rows = await database.query<{ event_id: string }[]>(`SELECT event_id FROM webhook_events WHERE provider = 'stripe'`);
      return new Set(rows.map(({ event_id }) => event_id));
    });
  return { env, eventIds };
}

async function databasesOn({ databaseUrl }: Services): Promise<string[]> {
  if (!databaseUrl) return [];
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  const { rows } = await client.query<{ datname: string }>('SELECT datname FROM pg_database');
  await client.end();
  return rows.map(({ datname }) => datname);
}
