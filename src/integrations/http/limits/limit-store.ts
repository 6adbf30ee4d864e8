import type { Bucket } from './gcra';

/** Taken where `waitMs` is 0; else nothing was, and `blocked` names the buckets that had no room. */
export interface Take {
  readonly waitMs: number;
  readonly blocked: readonly string[];
}

export const TAKEN: Take = { waitMs: 0, blocked: [] };

/** Where the buckets are kept. */
export interface LimitStore {
  /** Takes of every bucket, or of none. */
  take(buckets: readonly Bucket[]): Take | Promise<Take>;
  /** Lets nobody through these for `ms`. */
  close(buckets: readonly Bucket[], ms: number): void | Promise<void>;
  /** Ends connections and timers. */
  stop?(): Promise<void>;
}
