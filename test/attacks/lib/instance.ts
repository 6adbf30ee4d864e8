import { rm } from 'node:fs/promises';
import { startCluster, type Cluster } from '../../support/service-cluster';
import { join } from 'node:path';
import { ask, lead, type Answer, type Ask } from './request';

export interface Who {
  readonly tenant?: string;
  readonly user?: string;
  readonly role?: 'user' | 'admin' | 'operator';
}

/** One running service. */
export interface Instance {
  readonly cluster: Cluster;
  /** Under which the world knows it, and the attacks reach it (`lead`). */
  readonly url: string;
  /** The same on this machine. */
  readonly localUrl: string;
  /** What it has written so far, both streams. */
  readonly lines: readonly string[];
  token(who?: Who): Promise<string>;
  /** With somebody's token. */
  as(who: Who, path: string, request?: Ask): Promise<Answer>;
  stop(): Promise<void>;
}

/** The service as `npm start` runs it, embedded. */
export async function startInstance(
  env: Readonly<Record<string, string>>,
  entry = join(__dirname, '../../../src/main.ts'),
  server: { databaseUrl?: string; redisUrl?: string } = {},
): Promise<Instance> {
  const cluster = await startCluster({ entry, processes: 1, env, envOf: () => env, ...server });
  const [member] = cluster.members;
  if (!member) throw new Error('no process was started');
  const url = env['PUBLIC_URL'] ?? member.url;
  if (url !== member.url) lead(url, member.url);
  const tokens = new Map<string, Promise<string>>();
  const token = ({ tenant = 'acme', user = 'ada', role = 'user' }: Who = {}) => {
    const key = JSON.stringify([tenant, user, role]);
    const made = tokens.get(key) ?? cluster.tokenFor({ tenant, user, role });
    tokens.set(key, made);
    return made;
  };
  return {
    cluster,
    url,
    localUrl: member.url,
    get lines() {
      return member.process.lines;
    },
    token,
    as: async (who, path, request = {}) =>
      ask(member.url, path, { ...request, headers: { authorization: `Bearer ${await token(who)}`, ...request.headers } }),
    stop: async () => {
      await cluster.stop();
      await rm(cluster.dataDir, { recursive: true, force: true });
    },
  };
}
