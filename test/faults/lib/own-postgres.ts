import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { atEnd } from './clean-up';
import { onFreePort } from './free-port';

export type StopMode = 'fast' | 'immediate';

/** A Postgres server of the run's own, which may be stopped, restarted and copied. */
export class OwnPostgres {
  private constructor(
    private readonly bin: string,
    private readonly user: { uid?: number; gid?: number },
    readonly folder: string,
  ) {}

  private port = 0;

  /** Undefined where this machine has no Postgres server's programs; Postgres refuses to run as root, so there it runs as `postgres`. */
  static async start(): Promise<OwnPostgres | undefined> {
    const bin = binFolder();
    const user = ordinaryUser();
    if (!bin || !user) return undefined;
    const folder = ownFolder(user);
    const server = new OwnPostgres(bin, user, join(folder, 'data'));
    await server.run('initdb', ['-D', server.folder, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8']);
    await server.firstStart();
    return server;
  }

  get url(): string {
    return `postgres://postgres@127.0.0.1:${this.port}/postgres`;
  }

  private async firstStart(): Promise<void> {
    await onFreePort(async (port) => {
      this.port = port;
      return this.start().then(
        () => true,
        (error: unknown) => {
          if (!readFileSync(`${this.folder}.log`, 'utf8').includes('Address already in use')) throw error;
          return undefined;
        },
      );
    });
  }

  async start(): Promise<void> {
    await this.run('pg_ctl', [
      '-D',
      this.folder,
      '-w',
      '-l',
      `${this.folder}.log`,
      '-o',
      `-p ${this.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories=${this.folder}`,
      'start',
    ]);
    atEnd(() => this.end());
  }

  /** As a process manager does, when it has ended by itself. */
  async startAgainIfEnded(): Promise<void> {
    const pidFile = join(this.folder, 'postmaster.pid');
    const pid = existsSync(pidFile) ? Number(readFileSync(pidFile, 'utf8').split('\n')[0]) : 0;
    if (pid > 0 && existsSync(`/proc/${pid}`)) return;
    await this.start();
  }

  async stop(mode: StopMode): Promise<void> {
    await this.run('pg_ctl', ['-D', this.folder, '-w', '-m', mode, 'stop']);
  }

  /** A copy made while the server works, as a backup tool makes it, started beside it. */
  async startCopy(): Promise<OwnPostgres> {
    const copy = new OwnPostgres(this.bin, this.user, join(ownFolder(this.user), 'data'));
    await this.run('pg_basebackup', [
      '-h',
      '127.0.0.1',
      '-p',
      String(this.port),
      '-U',
      'postgres',
      '-D',
      copy.folder,
      '-X',
      'stream',
      '-c',
      'fast',
    ]);
    await copy.firstStart();
    return copy;
  }

  private async end(): Promise<void> {
    if (existsSync(join(this.folder, 'postmaster.pid'))) await this.stop('immediate');
  }

  /** Not waiting in this thread: the sandbox goes on sending from it. */
  private async run(program: string, args: readonly string[]): Promise<void> {
    const child = spawn(join(this.bin, program), args, {
      ...this.user,
      stdio: ['ignore', 'ignore', 'pipe'],
      cwd: tmpdir(),
      timeout: 120_000,
    });
    let said = '';
    child.stderr?.on('data', (part: Buffer) => (said += part.toString()));
    const [code] = (await once(child, 'exit')) as [number | null];
    if (code !== 0) throw new Error(`${program} ended with ${code}: ${said}`);
  }
}

function ownFolder({ uid, gid }: { uid?: number; gid?: number }): string {
  const folder = mkdtempSync(join(tmpdir(), 'trestle-postgres-'));
  if (uid !== undefined && gid !== undefined) chownSync(folder, uid, gid);
  atEnd(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function binFolder(): string | undefined {
  const named = spawnSync('pg_config', ['--bindir'], { encoding: 'utf8' }).stdout?.trim();
  const debian = '/usr/lib/postgresql';
  const versions = existsSync(debian) ? readdirSync(debian).sort((a, b) => Number(b) - Number(a)) : [];
  return [named, ...versions.map((version) => join(debian, version, 'bin'))].find((folder) => folder && existsSync(join(folder, 'initdb')));
}

/** Under whom programs run that refuse to run as root; undefined where there is nobody. */
export function ordinaryUser(): { uid?: number; gid?: number } | undefined {
  if (process.getuid?.() !== 0) return {};
  const id = (flag: string) => spawnSync('id', [flag, 'postgres'], { encoding: 'utf8' });
  const [uid, gid] = [id('-u'), id('-g')];
  return uid.status === 0 && gid.status === 0 ? { uid: Number(uid.stdout), gid: Number(gid.stdout) } : undefined;
}
