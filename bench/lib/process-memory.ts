import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

const MIB = 1_024;

/** Resident memory of a process, MiB. */
export function residentMib(pid: number): number {
  try {
    const [, kib] = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
    return Number(kib) / MIB;
  } catch {
    return Number(execFileSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' })) / MIB; // no /proc: macOS
  }
}
