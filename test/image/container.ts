import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { existsSync, lstatSync, mkdirSync, readFileSync, readdirSync, readlinkSync, symlinkSync } from 'node:fs';
import { once } from 'node:events';
import { join } from 'node:path';

/** What programs need of the machine, in place of the base image; everything else of it is out of sight. */
const SYSTEM = ['usr', 'bin', 'sbin', 'lib', 'lib32', 'lib64', 'etc', 'opt', 'dev'];
/** A process of its own first, with mounts and process ids of its own, that ends with us. */
const APART = ['--mount', '--pid', '--fork', '--kill-child'];

export interface ContainerOptions {
  /** Folder that is `/` in there, made by `makeRoot`. */
  readonly root: string;
  readonly env: Readonly<Record<string, string>>;
  readonly workdir: string;
  /** `uid:gid`; default root. */
  readonly user?: string;
  /** Paths in there that can be written, beside `/tmp`; all else is read-only. Default: everything can. */
  readonly writable?: readonly string[];
  /** Folders of the machine that are in there too: the builder's own, with what npm is told and keeps. */
  readonly lent?: readonly string[];
}

export function canRunApart(): boolean {
  return process.getuid?.() === 0 && spawnSync('unshare', [...APART, 'true']).status === 0;
}

/** An empty root with the machine's programs in place of the base image. */
export function makeRoot(root: string): void {
  for (const name of ['proc', 'tmp', ...SYSTEM]) {
    const path = `/${name}`;
    if (!existsSync(path)) continue;
    if (lstatSync(path).isSymbolicLink()) symlinkSync(readlinkSync(path), join(root, name));
    else mkdirSync(join(root, name), { recursive: true });
  }
}

/** The mounts, then the command in the place of the shell: it is process 1 in there. */
function enter({ root, workdir, user, writable, lent = [] }: ContainerOptions): string[] {
  const bind = (path: string) => `mkdir -p "${root}${path}" && mount --rbind "${path}" "${root}${path}"`;
  const bindReadOnly = (path: string) => `${bind(path)} && mount -o remount,bind,ro "${root}${path}"`;
  const system = SYSTEM.filter((name) => existsSync(`/${name}`) && !lstatSync(`/${name}`).isSymbolicLink()).map((name) =>
    name === 'dev' ? `mount --rbind /dev "${root}/dev"` : bindReadOnly(`/${name}`),
  );
  const steps = [
    'set -e',
    'mount --make-rprivate /',
    `mount --rbind "${root}" "${root}"`,
    ...system,
    ...lent.filter((path) => existsSync(path)).map(bind),
    `mount -t proc proc "${root}/proc"`,
    `mount -t tmpfs -o mode=1777 tmpfs "${root}/tmp"`,
    ...(writable
      ? [...writable.map((path) => `mount --bind "${root}${path}" "${root}${path}"`), `mount -o remount,bind,ro "${root}"`]
      : []),
    `exec chroot ${user ? `--userspec=${user} --groups= ` : ''}"${root}" /bin/sh -c 'cd "$0" && exec "$@"' "${workdir}" "$@"`,
  ];
  return ['unshare', ...APART, '/bin/sh', '-c', steps.join('\n'), 'enter'];
}

const environment = (env: Readonly<Record<string, string>>) => ({ PATH: process.env['PATH'] ?? '/usr/bin:/bin', ...env });

/** Runs a command in there to its end. @throws with what it said, where it fails */
export function runIn(options: ContainerOptions, command: readonly string[]): string {
  const { status, stdout, stderr } = tryIn(options, command);
  if (status !== 0) throw new Error(`${command.join(' ')} ended with ${status}:\n${`${stdout}${stderr}`.slice(-3_000)}`);
  return stdout;
}

export function tryIn(options: ContainerOptions, command: readonly string[]) {
  const [program = '', ...args] = enter(options);
  return spawnSync(program, [...args, ...command], { encoding: 'utf8', env: environment(options.env), maxBuffer: 64 * 1024 * 1024 });
}

export interface Running {
  /** All that it said so far. */
  said(): string;
  /** SIGTERM to process 1. @returns its exit code; null where a signal ended it */
  stop(): Promise<number | null>;
  ended: Promise<number | null>;
}

export function startIn(options: ContainerOptions, command: readonly string[]): Running {
  const [program = '', ...args] = enter(options);
  const child = spawn(program, [...args, ...command], { env: environment(options.env), stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (part: Buffer) => (text += part.toString()));
  const ended = once(child, 'close').then(([code]) => code as number | null);
  return {
    said: () => text,
    ended,
    stop: () => {
      const first = firstProcessOf(child);
      if (first !== undefined) process.kill(first, 'SIGTERM');
      return ended;
    },
  };
}

/** `unshare` waits for it, and passes on no signal. */
function firstProcessOf({ pid, exitCode }: ChildProcess): number | undefined {
  if (exitCode !== null || pid === undefined) return undefined;
  const [first] = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ');
  return first ? Number(first) : undefined;
}

/** Bytes that the files of a folder hold. */
export function sizeOf(folder: string): number {
  let bytes = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true }))
    if (entry.isFile()) bytes += lstatSync(join(entry.parentPath, entry.name)).size;
  return bytes;
}
