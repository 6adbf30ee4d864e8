import type { Arena } from './arena';

export interface Verdict {
  readonly seen: string;
  readonly ok: boolean | null;
}

/** A row of the attack list. */
export interface Attack {
  readonly id: string;
  /** The answer that must come, in one line. */
  readonly expected: string;
  /** Tried after all others: it looks at what they left behind, and the service is stopped for it. */
  readonly last?: boolean;
  /** Cut off, and failed, after this many seconds. Default 180. */
  readonly boundS?: number;
  /** @returns what was seen; `ok: null` with the reason where it cannot be tried here */
  run(arena: Arena): Promise<Verdict>;
}

export interface AttackResult extends Verdict {
  readonly id: string;
  readonly expected: string;
}
