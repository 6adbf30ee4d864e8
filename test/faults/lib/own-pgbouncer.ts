import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { atEnd } from './clean-up';
import { onFreePort } from './free-port';
import { ordinaryUser } from './own-postgres';
import { until } from './waiting';

export type PoolMode = 'session' | 'transaction' | 'statement';

const PROGRAM = ['/usr/sbin/pgbouncer', '/usr/bin/pgbouncer', '/usr/local/bin/pgbouncer'].find((file) => existsSync(file));

/** A PgBouncer of the run's own in front of a Postgres server. https://www.pgbouncer.org/config.html */
export class OwnPgbouncer {
  private constructor(
    private readonly folder: string,
    private readonly user: { uid?: number; gid?: number },
    readonly port: number,
    private child: ChildProcess,
  ) {}

  /**
   * Undefined where this machine has none. @param server address of the Postgres server, without a password
   * @param poolSize sessions that it opens for a database at most
   */
  static async start(server: string, mode: PoolMode, { poolSize, roundRobin = false }: { poolSize: number; roundRobin?: boolean }) {
    const user = ordinaryUser();
    if (!PROGRAM || !user) return undefined;
    const folder = mkdtempSync(join(tmpdir(), 'trestle-pgbouncer-'));
    atEnd(() => rmSync(folder, { recursive: true, force: true }));
    const { hostname, port: serverPort, username } = new URL(server);
    writeFileSync(join(folder, 'users.txt'), `"${username}" ""\n`);
    if (user.uid !== undefined && user.gid !== undefined) chownSync(folder, user.uid, user.gid);
    return onFreePort(async (port) => {
      const settings = [
        '[databases]',
        `* = host=${hostname} port=${serverPort || 5432}`,
        '[pgbouncer]',
        'listen_addr = 127.0.0.1',
        `listen_port = ${port}`,
        'unix_socket_dir =',
        'auth_type = trust',
        `auth_file = ${join(folder, 'users.txt')}`,
        `pool_mode = ${mode}`,
        `default_pool_size = ${poolSize}`,
        'max_client_conn = 1000',
        `server_round_robin = ${roundRobin ? 1 : 0}`,
      ];
      writeFileSync(join(folder, 'pgbouncer.ini'), `${settings.join('\n')}\n`);
      const child = await run(folder, user, port);
      if (!child) return undefined;
      const pooler = new OwnPgbouncer(folder, user, port, child);
      atEnd(() => pooler.kill());
      return pooler;
    });
  }

  /** The same address, through the pooler. */
  through(databaseUrl: string): string {
    const url = new URL(databaseUrl);
    url.hostname = '127.0.0.1';
    url.port = String(this.port);
    return url.href;
  }

  async kill(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const ended = once(this.child, 'exit');
    this.child.kill('SIGKILL');
    await ended;
  }

  /** With the same settings, on the same port. */
  async restart(): Promise<void> {
    await this.kill();
    const child = await run(this.folder, this.user, this.port);
    if (!child) throw new Error('PgBouncer did not start again.');
    this.child = child;
  }
}

/** @returns undefined where it ended before it listened */
async function run(folder: string, user: { uid?: number; gid?: number }, port: number): Promise<ChildProcess | undefined> {
  const child = spawn(PROGRAM ?? '', [join(folder, 'pgbouncer.ini')], { ...user, cwd: folder, stdio: 'ignore' });
  const over = () => child.exitCode !== null || child.signalCode !== null;
  await until(async () => over() || (await isOpen(port)), 10_000, 50);
  return over() ? undefined : child;
}

function isOpen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

/** For the report. */
export function pgbouncerVersion(): string {
  return spawnSync(PROGRAM ?? '', ['--version'], { encoding: 'utf8' }).stdout?.split('\n')[0] ?? '';
}
