import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import Redis from 'ioredis';
import { atEnd } from './clean-up';
import { onFreePort } from './free-port';
import { until } from './waiting';

/** A Redis server of the run's own, which may be stopped and emptied. */
export class OwnRedis {
  private child?: ChildProcess;

  private constructor(private readonly port: number) {}

  /** Undefined where this machine has no `redis-server`. */
  static async start(): Promise<OwnRedis | undefined> {
    if (spawnSync('redis-server', ['--version']).status !== 0) return undefined;
    return onFreePort(async (port) => {
      const redis = new OwnRedis(port);
      atEnd(() => redis.stop());
      return (await redis.start()) ? redis : undefined;
    });
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  async start(): Promise<boolean> {
    const child = spawn('redis-server', ['--port', String(this.port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'], {
      stdio: 'ignore',
    });
    let failed = false;
    child.once('error', () => (failed = true));
    child.once('exit', () => (failed = true)); // the port is taken, and who answers there is a stranger
    this.child = child;
    const up = await until(async () => failed || (await this.ask((redis) => redis.ping()).catch(() => '')) === 'PONG', 10_000);
    return !failed && up !== undefined;
  }

  async stop(): Promise<void> {
    const { child } = this;
    this.child = undefined;
    if (!child || child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }

  async ask<T>(question: (redis: Redis) => Promise<T>): Promise<T> {
    const redis = new Redis(this.url, { lazyConnect: true, maxRetriesPerRequest: 0, retryStrategy: () => null });
    redis.on('error', () => undefined);
    try {
      await redis.connect();
      return await question(redis);
    } finally {
      redis.disconnect();
    }
  }
}
