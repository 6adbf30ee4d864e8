import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { TestProcess } from '../../test/support/child-process';
import { residentMib } from './process-memory';

export interface CollectedMemory {
  /** Resident memory after a full collection, MiB. */
  readonly residentMib: number;
  /** What is still held: heap and buffers, MiB. */
  readonly heldMib: number;
}

const MIB = 2 ** 20;

/** For the measured process: gives what collects, and says what is left. */
export function collector(): () => CollectedMemory {
  setFlagsFromString('--expose_gc');
  const collect = runInNewContext('gc') as () => void;
  return () => {
    collect();
    collect(); // what the first let go of through finalizers
    const { heapUsed, external } = process.memoryUsage();
    return { residentMib: residentMib(process.pid), heldMib: (heapUsed + external) / MIB };
  };
}

/** In the measured process: collects when it is asked to, and says what is left. */
export function answerCollections(): void {
  const collect = collector();
  let times = 0;
  process.on('SIGUSR2', () => void process.stdout.write(`collected ${++times} ${JSON.stringify(collect())}\n`));
}

/** Asks such a process, from the outside. @param times how often it was asked, this time included */
export async function collected({ child, line }: TestProcess, times: number): Promise<CollectedMemory> {
  const start = `collected ${times} `;
  child.kill('SIGUSR2');
  return JSON.parse((await line((text) => text.startsWith(start))).slice(start.length)) as CollectedMemory;
}
