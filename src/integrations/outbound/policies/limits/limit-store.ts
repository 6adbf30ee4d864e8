import type { Bucket } from './gcra';

/** Where nothing was taken, `waitMs` says when there is room again, and `blocked` names the buckets that had none. */
export interface Take {
  /** Calls that may go. */
  readonly taken: number;
  readonly waitMs: number;
  readonly blocked: readonly string[];
}

export const TAKEN: Take = { taken: 1, waitMs: 0, blocked: [] };
export const taken = (calls: number): Take => ({ taken: calls, waitMs: 0, blocked: [] });

/** Where the buckets are kept. */
export interface LimitStore {
  /** Takes of every bucket, or of none, for as many of `most` (default 1) equal calls as have room. */
  take(buckets: readonly Bucket[], most?: number): Take | Promise<Take>;
  /** Lets nobody through these for `ms`. */
  close(buckets: readonly Bucket[], ms: number): void | Promise<void>;
  /** Ends connections and timers. */
  stop?(): Promise<void>;
}
