import { rm } from 'node:fs/promises';
import { startCluster, type Cluster } from '../../support/service-cluster';
import { join } from 'node:path';
import { ask, type Answer, type Ask } from './request';

export interface Who {
  readonly tenant?: string;
  readonly user?: string;
  readonly role?: 'user' | 'admin' | 'operator';
}

/** One running service. */
export interface Instance {
  readonly cluster: Cluster;
  readonly url: string;
  /** Under which the world knows it. */
  readonly publicUrl: string;
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
  const tokens = new Map<string, Promise<string>>();
  const token = ({ tenant = 'acme', user = 'ada', role = 'user' }: Who = {}) => {
    const key = JSON.stringify([tenant, user, role]);
    const made = tokens.get(key) ?? cluster.tokenFor({ tenant, user, role });
    tokens.set(key, made);
    return made;
  };
  return {
    cluster,
    url: member.url,
    publicUrl: env['PUBLIC_URL'] ?? member.url,
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
