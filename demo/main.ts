import { SignJWT } from 'jose';
import { randomBytes, randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { startSandbox } from '../sandbox';
import { actionSteps } from './action.steps';
import { connectSteps, syncSteps } from './connect.steps';
import { createDemoDatabase } from './demo-database';
import { TrestleClient } from '../packages/client/src/index.ts';
import { Browser } from './http-client';
import { Report } from './report';
import { startSignInDoor } from './sign-in-door';
import { startService, StartFailure } from './service-process';
import { stormSteps } from './storm.steps';
import { troubleSteps } from './trouble.steps';
import { watchSteps } from './watch.steps';
import { SandboxClient, type World } from './world';

const TENANT = 'acme';
const HOUR_S = 3_600;
/** As shells say it of Ctrl-C. */
const CUT_OFF = 130;
const undo: (() => Promise<void> | void)[] = [];
let ending: Promise<void> | undefined;

/** Shows the main job: the service as a process of its own, the sandbox providers, everything over HTTP. */
async function main(asked: Promise<void>): Promise<void> {
  const { values } = parseArgs({ options: { once: { type: 'boolean', default: false }, json: { type: 'boolean', default: false } } });
  const say = (line: string) => void process.stderr.write(`${line}\n`);
  const { DATA_DIR = '.data', DATABASE_URL, REDIS_URL, PORT } = process.env;
  const base = resolve(DATA_DIR);
  mkdirSync(base, { recursive: true });
  const dataDir = mkdtempSync(join(base, 'demo-'));
  undo.push(() => rmSync(dataDir, { recursive: true, force: true }));

  say(
    `Starting the sandbox providers and the service (${DATABASE_URL ? 'Postgres server' : 'embedded Postgres'}, ${DATABASE_URL && REDIS_URL ? 'Redis' : 'queue in the process'})`,
  );
  const database = DATABASE_URL ? await createDemoDatabase(DATABASE_URL) : undefined;
  if (database) undo.push(() => database.drop());
  const sandbox = await startSandbox();
  undo.push(() => sandbox.stop());
  const secret = randomBytes(32).toString('hex');
  const token = (sub: string, role: string) =>
    new SignJWT({ tenant: TENANT, role })
      .setProtectedHeader({ alg: 'HS256' })
      .setSubject(sub)
      .setJti(randomUUID())
      .setExpirationTime(`${HOUR_S}s`)
      .sign(Buffer.from(secret));
  const door = await startSignInDoor([
    { path: '/ada', title: 'status cards', returnTo: '/settings/integrations', token: () => token('ada', 'user') },
    { path: '/grace', title: 'admin', returnTo: '/admin', token: () => token('grace', 'admin') },
  ]);
  undo.push(() => door.stop());
  const service = startService(
    {
      PRODUCT_URL: door.url,
      ...sandbox.env(),
      SANDBOX: 'off',
      DATA_DIR: dataDir,
      API_JWT_SECRET: secret,
      LOG_LEVEL: 'debug',
      ...(database ? { DATABASE_URL: database.url, ...(REDIS_URL ? { REDIS_URL } : {}) } : {}),
    },
    PORT ?? '0',
  );
  undo.push(() => service.stop());
  const url = await service.ready;
  sandbox.setWebhookTarget(url);
  door.leadsTo(url);

  const world: World = {
    serviceUrl: url,
    controlUrl: sandbox.urls.control,
    user: new TrestleClient({ baseUrl: url, token: () => token('ada', 'user') }),
    admin: new TrestleClient({ baseUrl: url, token: () => token('grace', 'admin') }),
    callProxy: async (path) =>
      fetch(url + path, {
        method: 'POST',
        headers: { authorization: `Bearer ${await token('ada', 'user')}` },
        signal: AbortSignal.timeout(30_000),
      }),
    browser: new Browser(),
    control: new SandboxClient(sandbox.urls.control),
    connections: new Map(),
  };

  const report = new Report(say);
  await connectSteps(world, report);
  await syncSteps(world, report);
  await actionSteps(world, report);
  await stormSteps(world, report);
  await troubleSteps(world, report);
  await watchSteps(world, report, { databaseUrl: database?.url, databaseFolder: join(dataDir, 'postgres'), log: service.log });

  say(`\n${report.table()}\n`);
  if (!values.once) {
    say('Still up. Open a page (the demo signs you in, as a product does with its users):');
    for (const { title, url: address } of door.doors) say(`  ${title.padEnd(12)}  ${address}`);
    say(`  ${'Sandbox'.padEnd(12)}  ${sandbox.urls.control}/page`);
    if (values.json) process.stdout.write(`${JSON.stringify({ steps: report.steps })}\n`);
    say('Press Ctrl-C to end.');
    waiting = true;
    await asked;
  }
  await end();
  if (values.once && values.json) process.stdout.write(`${JSON.stringify({ steps: report.steps })}\n`);
  process.exit(report.ok ? 0 : 1);
}

/** Once, whoever asks for it. */
function end(): Promise<void> {
  return (ending ??= (async () => {
    for (const step of undo.reverse()) await step();
  })());
}

/** Resolves when somebody asks for the end, however often: with Ctrl-C npm passes on what the terminal has sent already. */
function whenAsked(): Promise<void> {
  const alive = setInterval(() => undefined, 60_000);
  return new Promise((done) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => done(clearInterval(alive)));
  });
}

let waiting = false;
const asked = whenAsked();
// Who is cut off in the midst of the steps has not shown what it is to show, and still leaves nothing behind.
void asked.then(async () => {
  if (waiting) return;
  await end().catch(() => undefined);
  process.exit(CUT_OFF);
});

main(asked).catch(async (error: unknown) => {
  process.stderr.write(
    `${error instanceof StartFailure ? error.message : error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
  );
  await end().catch(() => undefined);
  process.exit(1);
});
