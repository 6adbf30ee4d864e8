import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { reachable } from '../../bench/lib/services';
import { sleep, until } from '../faults/lib/waiting';
import { createDatabase, dropDatabase } from '../support/service-cluster';
import { buildImage, type Image } from './build';
import { deliver, deployment, startService, storedEvents, type Deployment, type Service } from './service';

const PER_SECOND = 200;
/** A delivery that is not acknowledged is sent anew, as providers do it. */
const TRIES = 60;

/** The image of another commit, by today's Dockerfile where it has none of its own. */
export function buildVersion(folder: string, root: string, commit: string): Image {
  const source = join(folder, 'source');
  mkdirSync(source, { recursive: true });
  const archive = execFileSync('git', ['archive', commit], { cwd: root, maxBuffer: 256 * 1024 * 1024 });
  execFileSync('tar', ['-x', '-C', source], { input: archive });
  const own = existsSync(join(source, 'Dockerfile'));
  if (!own) cpSync(join(root, 'scripts'), join(source, 'scripts'), { recursive: true });
  return buildImage(folder, { source, recipe: own ? source : root });
}

/**
 * Two processes of the old version under 200 deliveries a second are replaced one by one, then one goes back: both versions work on the
 * new schema in between. Undefined where there is no Postgres and Redis.
 */
export async function rollingUpgrade(older: Image, newer: Image): Promise<{ ok: boolean; seen: string } | undefined> {
  const { databaseUrl: server, redisUrl } = await reachable();
  if (!server || !redisUrl) return undefined;
  const databaseUrl = await createDatabase(server);
  const deployed = deployment({ DATABASE_URL: databaseUrl, REDIS_URL: redisUrl });
  const running: Service[] = [];
  const exits: (number | null)[] = [];
  const add = async (image: Image) => void running.push(await startService(image, deployed));
  let load: ReturnType<typeof startLoad> | undefined;
  const endFirst = async () => void exits.push((await running.shift()?.stop()) ?? null);
  try {
    await add(older);
    await add(older);
    load = startLoad(() => running.map(({ url }) => url), deployed);
    for (let round = 0; round < 2; round++) {
      await add(newer);
      await endFirst();
    }
    const upgraded = load.acknowledged.length;
    await add(older);
    await endFirst();
    await sleep(3_000);
    const { acknowledged, given } = await load.stop();
    const readers = running.at(0) as Service; // the newer one
    const states = async () => {
      const stored = await storedEvents(readers.url, deployed);
      return acknowledged.map((id) => stored.get(id)?.join() ?? 'lost');
    };
    await until(async () => (await states()).every((state) => state === 'completed'), 90_000, 500);
    const seen = await states();
    const wrong = seen.filter((state) => state !== 'completed');
    const errors = running.flatMap((service) =>
      service
        .said()
        .split('\n')
        .filter((line) => /"level":(50|60)/.test(line)),
    );
    return {
      ok: wrong.length === 0 && given === 0 && exits.every((code) => code === 0) && errors.length === 0,
      seen:
        `${acknowledged.length} acknowledged at about ${PER_SECOND}/s (${upgraded} of them until both were new, then one went back), ` +
        `${seen.filter((state) => state === 'lost').length} lost, ${wrong.length} not applied or not once, ${given} given up, exits ${exits.join(' ')}, ${errors.length} errors logged${errors.length ? `: ${errors[0]?.slice(0, 300)}` : ''}`,
    };
  } finally {
    await load?.stop(); // nothing is sent on where a start failed
    await Promise.all(running.map((service) => service.stop()));
    await dropDatabase(server, databaseUrl);
  }
}

function startLoad(urls: () => string[], deployed: Deployment) {
  const acknowledged: string[] = [];
  const sending = new Set<Promise<void>>();
  let given = 0;
  let turn = 0;
  const send = async () => {
    for (let tries = 0; tries < TRIES; tries++) {
      const targets = urls();
      const id = await deliver(targets[turn++ % targets.length] as string, deployed);
      if (id) return void acknowledged.push(id);
      await sleep(250);
    }
    given++;
  };
  const clock = setInterval(() => {
    for (let i = 0; i < PER_SECOND / 20; i++) {
      const one: Promise<void> = send().finally(() => sending.delete(one));
      sending.add(one);
    }
  }, 50);
  return {
    acknowledged,
    stop: async () => {
      clearInterval(clock);
      await Promise.all(sending);
      return { acknowledged, given };
    },
  };
}
