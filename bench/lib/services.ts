import { connect } from 'node:net';
import type { Services } from './benchmark';

/** The Postgres and Redis named by TEST_DATABASE_URL and TEST_REDIS_URL, or those that answer on their usual loopback ports. */
export async function reachable(): Promise<Services> {
  const [databaseUrl, redisUrl] = await Promise.all([
    usable(process.env.TEST_DATABASE_URL ?? 'postgres://postgres@127.0.0.1:5432/postgres', 5432),
    usable(process.env.TEST_REDIS_URL ?? 'redis://127.0.0.1:6379', 6379),
  ]);
  return { databaseUrl, redisUrl };
}

async function usable(url: string, defaultPort: number): Promise<string | undefined> {
  const { hostname, port } = new URL(url);
  const open = await new Promise<boolean>((resolve) => {
    const socket = connect(Number(port || defaultPort), hostname);
    socket.setTimeout(2_000);
    socket.once('connect', () => resolve(true));
    for (const event of ['error', 'timeout'] as const) socket.once(event, () => resolve(false));
    socket.once('close', () => socket.destroy());
    socket.once('connect', () => socket.destroy());
  });
  return open ? url : undefined;
}
