import { SignJWT } from 'jose';
import { randomBytes, randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { startSandbox } from '../sandbox';
import { actionSteps } from './action.steps';
import { connectSteps, syncSteps } from './connect.steps';
import { createDemoDatabase } from './demo-database';
import { ApiClient, Browser } from './http-client';
import { Report } from './report';
import { startSignInDoor } from './sign-in-door';
import { startService, StartFailure } from './service-process';
import { stormSteps } from './storm.steps';
import { troubleSteps } from './trouble.steps';
import { watchSteps } from './watch.steps';
import { SandboxClient, type World } from './world';

const TENANT = 'acme';
const HOUR_S = 3_600;
const undo: (() => Promise<void> | void)[] = [];

/** Shows the main job: the service as a process of its own, the sandbox providers, everything over HTTP. */
async function main(): Promise<void> {
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
  const service = await startService(
    {
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
  sandbox.setWebhookTarget(service.url);

  const token = (sub: string, role: string) =>
    new SignJWT({ tenant: TENANT, role })
      .setProtectedHeader({ alg: 'HS256' })
      .setSubject(sub)
      .setJti(randomUUID())
      .setExpirationTime(`${HOUR_S}s`)
      .sign(Buffer.from(secret));
  const world: World = {
    serviceUrl: service.url,
    controlUrl: sandbox.urls.control,
    user: new ApiClient(service.url, await token('ada', 'user')),
    admin: new ApiClient(service.url, await token('grace', 'admin')),
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
    const door = await startSignInDoor(service.url, [
      { path: '/ada', returnTo: '/settings/integrations', token: () => token('ada', 'user') },
      { path: '/grace', returnTo: '/admin', token: () => token('grace', 'admin') },
    ]);
    undo.push(() => door.stop());
    say('Still up. Open a page (the demo signs you in, as a product does with its users):');
    say(`  status cards  ${door.url}/ada`);
    say(`  admin         ${door.url}/grace`);
    if (values.json) process.stdout.write(`${JSON.stringify({ steps: report.steps })}\n`);
    say('Press Ctrl-C to end.');
    await new Promise<void>((done) => {
      const alive = setInterval(() => undefined, 60_000);
      for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => done(clearInterval(alive)));
    });
  }
  await end();
  if (values.once && values.json) process.stdout.write(`${JSON.stringify({ steps: report.steps })}\n`);
  process.exit(report.ok ? 0 : 1);
}

async function end(): Promise<void> {
  for (const step of undo.reverse()) await step();
}

main().catch(async (error: unknown) => {
  process.stderr.write(
    `${error instanceof StartFailure ? error.message : error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
  );
  await end().catch(() => undefined);
  process.exit(1);
});
