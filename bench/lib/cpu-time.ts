import { readFileSync, readdirSync } from 'node:fs';

/** CPU time of the service and of its database's backends so far, ms, by the kernel's own count: what else the machine does is not in it. */
export interface CpuTime {
  readonly serviceMs: number;
  readonly databaseMs: number;
}

/** @param backend a backend's process id @returns undefined where the database runs on another machine, or the kernel tells nothing */
export function cpuOf(service: number, databaseUrl: string, backend: number): (() => CpuTime) | undefined {
  const postmaster = parentOf(backend, databaseUrl);
  if (postmaster === undefined) return undefined;
  const name = new URL(databaseUrl).pathname.slice(1);
  const ours = new Map<string, boolean>();
  const lastSeen = new Map<string, number>();
  const isOurs = (pid: string) => {
    const known = ours.get(pid);
    if (known !== undefined) return known;
    // A backend that has just begun does not say yet for which database.
    const title = read(`/proc/${pid}/cmdline`);
    const [mine, said] = [title.includes(name) && pid !== String(backend), title.includes(' ')];
    if (said) ours.set(pid, mine);
    return mine;
  };
  return () => {
    for (const pid of read(`/proc/${postmaster}/task/${postmaster}/children`).split(' ').filter(Boolean))
      if (isOurs(pid)) lastSeen.set(pid, runMs(`/proc/${pid}/schedstat`) ?? lastSeen.get(pid) ?? 0);
    const tasks = readdirSync(`/proc/${service}/task`);
    return {
      serviceMs: tasks.reduce((sum, task) => sum + (runMs(`/proc/${service}/task/${task}/schedstat`) ?? 0), 0),
      databaseMs: [...lastSeen.values()].reduce((sum, ms) => sum + ms, 0),
    };
  };
}

function parentOf(backend: number, databaseUrl: string): number | undefined {
  const name = new URL(databaseUrl).pathname.slice(1);
  if (!read(`/proc/${backend}/cmdline`).includes(name)) return undefined;
  return Number(/^\d+ \(.*\) \S (\d+)/.exec(read(`/proc/${backend}/stat`))?.[1]);
}

/** https://www.kernel.org/doc/html/latest/scheduler/sched-stats.html, /proc/<pid>/schedstat: the first is ns on a CPU. */
function runMs(path: string): number | undefined {
  const ns = Number(read(path).split(' ')[0]);
  return ns > 0 ? ns / 1e6 : undefined;
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return ''; // it has ended
  }
}
