import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '../faults/lib/waiting';
import { buildImage, type Image } from './build';
import { buildVersion, rollingUpgrade } from './upgrade';
import { canRunApart, sizeOf, tryIn } from './container';
import { containerOf, deliver, deployment, healthcheck, identityOf, startService, stopUnderLoad, storedEvents } from './service';

const ROOT = join(__dirname, '../..');
const MOST_BYTES = 220_000_000;
const DEVELOPMENT = ['typescript', 'jest', '@nestjs/cli', '@swc/core', 'eslint'];

interface Trial {
  readonly name: string;
  readonly ok: boolean;
  readonly seen: string;
}

/** `npm run image:check [-- --from <commit>] [--json]`: performs the Dockerfile's steps without an engine, and tries what they make as a strict orchestrator runs it. */
async function main(): Promise<number> {
  if (!canRunApart()) {
    process.stderr.write('Not run: it needs root and Linux namespaces (unshare) for a root, mounts and process ids of its own.\n');
    return 0;
  }
  const folder = mkdtempSync(join(tmpdir(), 'trestle-image-'));
  const trials: Trial[] = [];
  const add = (name: string, ok: boolean, seen: string) => {
    trials.push({ name, ok, seen });
    process.stderr.write(`${ok ? 'ok     ' : 'FAILED '} ${name}: ${seen}\n`);
  };
  try {
    const image = buildImage(folder, { source: ROOT, recipe: ROOT });
    modules(image, add);
    await embedded(image, add);
    demo(folder, image, add);
    const [, from] = /--from[= ](\S+)/.exec(process.argv.join(' ')) ?? [];
    if (from) await upgrade(join(folder, 'older'), { from, image, add });
  } catch (error) {
    add('runs to its end', false, error instanceof Error ? (error.stack ?? error.message) : String(error));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  if (process.argv.includes('--json')) process.stdout.write(`${JSON.stringify({ image: trials })}\n`);
  return trials.every(({ ok }) => ok) ? 0 : 1;
}

type Add = (name: string, ok: boolean, seen: string) => void;

function modules({ root, run }: Image, add: Add): void {
  const folder = join(root, run.workdir, 'node_modules');
  const bytes = sizeOf(folder);
  add('modules', bytes <= MOST_BYTES, `${Math.round(bytes / 1_000_000)} MB (at most ${MOST_BYTES / 1_000_000})`);
  const left = DEVELOPMENT.filter((name) => existsSync(join(folder, name)));
  add('nothing of development', left.length === 0, left.join(', ') || 'none of it is there');
}

/** With nothing beside it: the embedded database in the one folder that can be written. */
async function embedded(image: Image, add: Add): Promise<void> {
  const deployed = deployment();
  const service = await startService(image, deployed);
  const who = identityOf(service.env['PORT'] as string);
  add('process', who?.pid === '1' && who.uid !== '0', `process ${who?.pid} in there, user ${who?.uid}, nothing but /data can be written`);
  const healthy = healthcheck(image, service);
  add('health check', healthy === 0, `exit ${healthy}`);
  const script = await fetch(`${service.url}/embed/trestle.js`);
  const isScript = (await script.text()).includes('trestle-integrations');
  add('the script that products embed', script.status === 200 && isScript, `${script.status}`);
  const id = await deliver(service.url, deployed);
  const done = await until(
    async () => id !== undefined && (await storedEvents(service.url, deployed)).get(id)?.[0] === 'completed',
    30_000,
    100,
  );
  add('webhook', done !== undefined, `${id ? 'accepted' : 'REFUSED'}, ${done === undefined ? 'NOT applied' : 'applied'}`);

  const stopped = await stopUnderLoad(service, deployed);
  const unhealthy = healthcheck(image, service);
  add('stop under load', stopped.ok && unhealthy !== 0, `${stopped.text}; the health check of a stopped one: exit ${unhealthy}`);

  const again = await startService(image, deployed, ['npm', 'start']);
  const missing = async () => {
    const stored = await storedEvents(again.url, deployed);
    return stopped.acknowledged.filter((each) => stored.get(each)?.join() !== 'completed').length;
  };
  await until(async () => (await missing()) === 0, 60_000, 200);
  const lost = await missing();
  const ended = await again.stop();
  add(
    'npm start on the same data',
    lost === 0 && ended === 0,
    `${lost} of ${stopped.acknowledged.length} acknowledged lost or not applied once, exit ${ended}`,
  );

  for (const [script, ...args] of [['token', '--tenant', 'acme', '--user', 'u1'], ['migrate'], ['keys', 'status']] as const) {
    const { status, stdout, stderr } = tryIn(containerOf(image, deployed.env), ['npm', 'run', '-s', script, '--', ...args]);
    add(`npm run ${script}`, status === 0, `exit ${status}, ${status === 0 ? `${stdout.trim().length} characters` : stderr.slice(-500)}`);
  }
}

/** The demo, against the service as it was built for the image: every API that is called of Google's, and the other providers'. */
function demo(folder: string, image: Image, add: Add): void {
  const driver = join(folder, 'driver');
  mkdirSync(driver);
  for (const name of ['demo', 'sandbox', 'src', 'packages', 'scripts', 'node_modules', 'package.json'])
    symlinkSync(join(ROOT, name), join(driver, name));
  symlinkSync(join(image.root, image.run.workdir, 'dist'), join(driver, 'dist'));
  // Symbolic links are kept as they are, so that `demo` finds the image's `dist` beside itself; the service's process follows its own.
  const args = ['--preserve-symlinks', '--preserve-symlinks-main', '-r', './scripts/register-swc.cjs', 'demo/main.ts', '--once', '--json'];
  const { PATH, HOME } = process.env;
  const { status, stdout, stderr } = spawnSync(process.execPath, args, {
    cwd: driver,
    encoding: 'utf8',
    env: { PATH, HOME, DATA_DIR: join(folder, 'demo-data') },
  });
  const steps = status === 0 ? (JSON.parse(stdout.trim().split('\n').at(-1) ?? '{}') as { steps: { ok: boolean }[] }).steps : [];
  const short = stderr.split('\n').filter((line) => line.startsWith(' FAIL '));
  const fault = short.length > 0 ? short.join('; ') : stderr.slice(-1_500);
  add('the demo on it', status === 0 && steps.length > 0, status === 0 ? `${steps.length} steps` : `exit ${status}: ${fault}`);
}

async function upgrade(folder: string, { from, image, add }: { from: string; image: Image; add: Add }): Promise<void> {
  const result = await rollingUpgrade(buildVersion(folder, ROOT, from), image);
  if (result) add(`upgrade from ${from}`, result.ok, result.seen);
  else process.stderr.write('Not run: the upgrade; no Postgres and Redis here.\n');
}

void main().then((code) => process.exit(code));
