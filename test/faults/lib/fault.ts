import type { Services } from '../../../bench/lib/benchmark';

/** Which kind of storage a fault is tried on: three processes on Postgres and Redis, or one on the embedded default. */
export type Stage = 'server' | 'embedded';

export interface Size {
  /** Events of the rows that send many: `--events N`, 10 000 by default. */
  readonly events: number;
}

export interface Fault {
  readonly id: string;
  /** What must hold, in one line. */
  readonly promise: string;
  readonly stages: readonly Stage[];
  /** The row is cut off, and counts as failed, after this many seconds on one stage. Default 300. */
  readonly boundS?: number;
  /** @returns what was seen, compared as sets from the ledgers of sandbox and effect sink; `ok: null` where it cannot run here */
  run(stage: Stage, services: Services, size: Size): Promise<Verdict>;
}

export interface Verdict {
  readonly seen: string;
  readonly ok: boolean | null;
}

export interface FaultResult {
  readonly id: string;
  readonly promise: string;
  readonly seen: string;
  readonly ok: boolean | null;
}
