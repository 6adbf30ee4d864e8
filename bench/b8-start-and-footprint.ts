import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { check, median, notRun, summary, type Arm, type ArmResult, type Benchmark, type Check, type Services } from './lib/benchmark';
import { collected } from './lib/collected-memory';
import { compareIds, described, isExact } from './lib/exactly-once';
import { assertAllTaken, LoadGenerator } from './lib/load';
import { residentMib } from './lib/process-memory';
import { interleave, times } from './lib/rounds';
import { QUICK, ROUNDS } from './lib/run-options';
import { eventId } from './lib/stripe-delivery';
import { hasBoth, openWorkbench, OUR_PATH } from './lib/workbench';

const ROOT = join(__dirname, '..');
const MAIN = join(ROOT, 'dist/main.js');
const BARE = 'bare Nest on Fastify';
const WARM = 'warm start, Postgres server';
const EMPTY = 'empty folder, embedded';
const EMBEDDED = 'warm start, embedded';
const READY_WITHIN_MS = 120_000;
const IDLE_MS = QUICK ? 1_000 : 5_000;
const EVENTS = QUICK ? 10_000 : 200_000;
const STEPS = 20;
/** How much more memory the last quarter of the events may need than the second. */
const FLAT = 1.1;

interface Started {
  readonly ms: number;
  readonly idleMib?: number;
}

export const benchmark: Benchmark = {
  id: 'B8',
  title: 'start and footprint',
  async run(services: Services) {
    const dataDir = await mkdtemp(join(tmpdir(), 'trestle-start-'));
    try {
      const start = await starts(services, dataDir);
      const memory = await memoryOverEvents(services);
      return { arms: [...start.arms, ...memory.arms], checks: [...start.checks, ...memory.checks] };
    } finally {
      await rm(dataDir, { recursive: true, force: true });
    }
  },
};

async function starts(services: Services, dataDir: string): Promise<{ arms: ArmResult[]; checks: Check[] }> {
  const secrets = { API_JWT_SECRET: randomBytes(32).toString('hex'), ENCRYPTION_KEYS: `bench:${randomBytes(32).toString('base64')}` };
  const service = (dir: string, more: Record<string, string> = {}) =>
    startToReady(MAIN, { ...secrets, DATA_DIR: dir, SANDBOX: 'off', LOG_LEVEL: 'warn', ...more });
  const idle: Record<string, number[]> = {};
  const arm = (name: string, start: () => Promise<Started>): Arm => ({
    name,
    unit: 'ms to the first 200',
    round: async () => {
      const { ms, idleMib = Number.NaN } = await start();
      (idle[name] ??= []).push(idleMib);
      return ms;
    },
  });
  const arms = [
    arm(BARE, () => startToReady(join(__dirname, 'rivals/bare-nest.cjs'), {})),
    arm(EMPTY, async () => {
      const dir = await mkdtemp(join(tmpdir(), 'trestle-start-empty-'));
      return service(dir).finally(() => rm(dir, { recursive: true, force: true }));
    }),
    arm(EMBEDDED, () => service(dataDir)),
  ];
  const bench = hasBoth(services) ? await openWorkbench({ services, members: [{}] }) : undefined;
  try {
    await bench?.cluster.members[0]?.stop();
    // The first start makes what the later ones find.
    if (bench)
      arms.push(
        arm(WARM, () => service(dataDir, { DATABASE_URL: bench.databaseUrl, ENCRYPTION_KEYS: bench.cluster.env['ENCRYPTION_KEYS'] ?? '' })),
      );
    const rounds = await interleave(arms, ROUNDS, 1);
    const warm = rounds.ratio(WARM, BARE);
    const footprints = Object.entries(idle).map(([name, values]) => summary(`${name}: idle`, 'MiB resident', values));
    return {
      arms: [...rounds.arms, ...footprints],
      checks: [
        bench
          ? check('warm start, service process / bare Nest', '<= 2x', times(warm), warm.median <= 2)
          : notRun('warm start', 'needs a Postgres server'),
        check('warm start, embedded / bare Nest', 'told, the embedded database included', times(rounds.ratio(EMBEDDED, BARE)), true),
      ],
    };
  } finally {
    await bench?.stop();
  }
}

/** From the start of the process to the first 200 of /health/ready; then its memory after a while of nothing. */
async function startToReady(file: string, env: Record<string, string>): Promise<Started> {
  const from = performance.now();
  const child = spawn(process.execPath, [file], {
    cwd: ROOT,
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    env: { ...process.env, ...env, PORT: '0' },
  });
  let said = '';
  child.stderr?.on('data', (text: Buffer) => (said += text.toString()));
  let port = 0;
  child.on('message', (told: { listening?: number }) => (port = told.listening ?? port));
  try {
    while (!(await isReady(port))) {
      if (child.exitCode !== null || performance.now() - from > READY_WITHIN_MS) throw new Error(`${file} did not become ready:\n${said}`);
    }
    const ms = performance.now() - from;
    await new Promise((resolve) => setTimeout(resolve, IDLE_MS));
    return { ms, idleMib: residentMib(child.pid ?? 0) };
  } finally {
    await ended(child);
  }
}

/** Asks every few milliseconds: what a look costs the starting process is little beside what is measured. */
async function isReady(port: number): Promise<boolean> {
  await new Promise((resolve) => setTimeout(resolve, 5));
  if (port === 0) return false; // it has not said yet where it listens
  return new Promise((resolve) => {
    const request = get({ port, host: '127.0.0.1', path: '/health/ready', agent: false, timeout: 2_000 }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    request.on('error', () => resolve(false));
    request.on('timeout', () => request.destroy());
  });
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGTERM');
  await gone;
}

/**
 * Deliveries as fast as they are taken, worked off meanwhile; the memory after each twentieth. What is compared is the memory after a full
 * collection: how much garbage V8 leaves lying between its own ones says nothing of growth.
 */
async function memoryOverEvents(services: Services): Promise<{ arms: ArmResult[]; checks: Check[] }> {
  if (!hasBoth(services)) return { arms: [], checks: [notRun('memory over the events', 'needs a Postgres server and Redis')] };
  const bench = await openWorkbench({ services, members: [{}] });
  const load = new LoadGenerator();
  try {
    const [member] = bench.cluster.members;
    if (!member) throw new Error('the cluster has no member');
    const uncollected: number[] = [];
    const samples: number[] = [];
    const held: number[] = [];
    const sent: string[] = [];
    for (let step = 0; step < STEPS; step++) {
      const series = { name: `b8_${step}`, count: EVENTS / STEPS, account: 'acct_bench_a' };
      const { statuses } = await load.deliver({ port: member.port, path: OUR_PATH, series, connections: 50 });
      assertAllTaken(statuses, 'ours');
      for (let number = 0; number < series.count; number++) sent.push(eventId(series.name, number));
      await workedOff(bench);
      uncollected.push(residentMib(member.process.child.pid ?? 0));
      const left = await collected(member.process, step + 1);
      samples.push(left.residentMib);
      held.push(left.heldMib);
    }
    const found = await bench.query<{ event_id: string }>('SELECT event_id FROM bench_effects');
    const difference = compareIds(
      sent,
      found.map((row) => row.event_id),
    );
    const quarter = STEPS / 4;
    const early = median(samples.slice(quarter, 2 * quarter));
    const late = median(samples.slice(-quarter));
    return {
      arms: [
        summary(`memory over ${EVENTS} events, as it comes`, 'MiB resident', uncollected),
        summary(`memory over ${EVENTS} events, collected`, 'MiB resident', samples),
        summary(`held over ${EVENTS} events, collected`, 'MiB of heap and buffers', held),
      ],
      checks: [
        check(
          `memory after a collection, last quarter / second quarter of ${EVENTS} events`,
          `<= ${FLAT}x`,
          `${(late / early).toFixed(2)}x (${early.toFixed(0)} -> ${late.toFixed(0)} MiB)`,
          late / early <= FLAT,
        ),
        check('every event took effect once', '0 lost, 0 twice', described(difference, sent.length), isExact(difference)),
      ],
    };
  } finally {
    load.stop();
    await bench.stop();
  }
}

async function workedOff(bench: { query(sql: string): Promise<object[]> }): Promise<void> {
  for (const end = Date.now() + 300_000; ;) {
    const open = await bench.query(`SELECT 1 FROM webhook_events WHERE status <> 'completed' LIMIT 1`);
    if (open.length === 0) return;
    if (Date.now() > end) throw new Error('the events were not worked off within 5 minutes');
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
