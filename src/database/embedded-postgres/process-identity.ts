import { execFile } from 'node:child_process';
import { readFile, readlink } from 'node:fs/promises';
import { hostname } from 'node:os';
import { promisify } from 'node:util';

/** A process that can be told apart from a later one with the same pid. */
export interface ProcessIdentity {
  readonly pid: number;
  /** When it started, in the system's own words; undefined where the system does not say. */
  readonly startedAt: string | undefined;
  /** Machine and, on Linux, pid namespace: pids of another place mean nothing here. */
  readonly place: string;
}

export async function identityOf(pid: number): Promise<ProcessIdentity> {
  return { pid, startedAt: await startOf(pid), place: await placeOfPids() };
}

/** Whether the process lives, judged from the same place. A zombie holds nothing and counts as dead. */
export async function isAlive(owner: ProcessIdentity): Promise<boolean> {
  try {
    process.kill(owner.pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  const startedAt = await startOf(owner.pid);
  return startedAt === undefined ? process.platform !== 'linux' : owner.startedAt === undefined || owner.startedAt === startedAt;
}

async function startOf(pid: number): Promise<string | undefined> {
  try {
    if (process.platform === 'win32') return undefined;
    if (process.platform !== 'linux') {
      const { stdout } = await promisify(execFile)('ps', ['-o', 'lstart=', '-p', String(pid)]);
      return stdout.trim() || undefined;
    }
    const [stat, boot] = await Promise.all([readFile(`/proc/${pid}/stat`, 'utf8'), readFile('/proc/sys/kernel/random/boot_id', 'utf8')]);
    // after the name in brackets: state is field 3, starttime field 22 (proc_pid_stat(5))
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? undefined : `${boot.trim()}/${fields[19]}`;
  } catch {
    return undefined;
  }
}

async function placeOfPids(): Promise<string> {
  const namespace = await readlink('/proc/self/ns/pid').catch(() => '');
  return `${hostname()}${namespace && `/${namespace}`}`;
}
