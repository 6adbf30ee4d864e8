import { backOffMs, type BackOffOptions } from '../../back-off';

/** How events are delivered. */
export interface DeliveryOptions {
  /** Time of one POST, ms. Default 10 000. */
  readonly timeoutMs: number;
  /** POSTs to one destination at the same time, in this process. One that fails or is slow gets one. Default 16. */
  readonly perDestination: number;
  /** Claimed at the same time for a destination that answers quickly, those included that wait for their turn. Default 64. */
  readonly claimedAhead: number;
  /** An answer within this is quick, ms: what is claimed ahead then waits for a moment only. Default 100. */
  readonly quickMs: number;
  /** POSTs at the same time in this process; twice as many may be claimed. Default 128. */
  readonly inFlight: number;
  /** Of these, to destinations that fail or are slow. Default 16. */
  readonly doubtfulInFlight: number;
  /** An answer that takes longer makes a destination slow, ms. Default 2 000. */
  readonly slowMs: number;
  /** A claim ends after this, s; longer than a POST. Default 60. */
  readonly leaseSeconds: number;
  /** Pause of a delivery after its first failure, ms; three times as long after each further one, half of it at random. Default 5 000. */
  readonly retryBaseMs: number;
  /** Longest pause of a delivery, ms. Default 4 hours. */
  readonly retryMaxMs: number;
  /** Failures in a row after which a destination is asked with one delivery at a time, and pauses between. Default 3. */
  readonly restAfterFailures: number;
  /** Longest of these pauses, ms. Default 15 minutes. */
  readonly restMaxMs: number;
  /** A destination is paused after so many failures in a row … Default 8. */
  readonly pauseAfterFailures: number;
  /** … if they go on for so long, ms. Default 12 hours. */
  readonly pauseAfterMs: number;
}

const HOUR_MS = 3_600_000;

export const DELIVERY_DEFAULTS: DeliveryOptions = {
  timeoutMs: 10_000,
  perDestination: 16,
  claimedAhead: 64,
  quickMs: 100,
  inFlight: 128,
  doubtfulInFlight: 16,
  slowMs: 2_000,
  leaseSeconds: 60,
  retryBaseMs: 5_000,
  retryMaxMs: 4 * HOUR_MS,
  restAfterFailures: 3,
  restMaxMs: 15 * 60_000,
  pauseAfterFailures: 8,
  pauseAfterMs: 12 * HOUR_MS,
};

/** Injection token of the `DeliveryOptions`. */
export const DELIVERY_OPTIONS = Symbol('DeliveryOptions');

const FACTOR = 3;

/** The pauses of one delivery. */
export function retryBackOff({ retryBaseMs, retryMaxMs }: Pick<DeliveryOptions, 'retryBaseMs' | 'retryMaxMs'>): BackOffOptions {
  return { firstMs: retryBaseMs, factor: FACTOR, maxMs: retryMaxMs };
}

/**
 * Pause of a whole destination after this many failures in a row, ms; 0 while it is only a few and nothing was asked for. No longer than
 * a third of the time that it has been failing: several POSTs that fail at once are one outage, and its end is to be noticed soon.
 */
export function restMs(
  { failures, failingForMs }: { readonly failures: number; readonly failingForMs: number },
  options: Pick<DeliveryOptions, 'retryBaseMs' | 'restAfterFailures' | 'restMaxMs'>,
  askedMs = 0,
  random = Math.random(),
): number {
  const counted = failures - options.restAfterFailures + 1;
  const maxMs = Math.min(options.restMaxMs, Math.max(options.retryBaseMs, failingForMs / 3));
  const backOff = { firstMs: options.retryBaseMs, factor: FACTOR, maxMs };
  return Math.max(counted < 1 ? 0 : backOffMs(counted, backOff, random), askedMs);
}
