import { backOffMs } from '../../../back-off';
import type { Clock } from '../../../clock';
import { IntegrationError } from '../../../errors';
import type { Random } from '../random';

export type CircuitState = 'closed' | 'open' | 'half_open';

export interface CircuitBreakerOptions {
  /** Opens when at least this share of the tries failed. Default 0.5. */
  readonly failureRate: number;
  /** And at least this many were made. Default 20. */
  readonly minimumTries: number;
  /** Counted over this time, ms. Default 30 000. */
  readonly windowMs: number;
  /** First pause, ms; doubles with every failed probe, with jitter of a quarter. Default 5 000. */
  readonly openMs: number;
  /** Longest pause, ms. Default 60 000. */
  readonly maxOpenMs: number;
}

export const CIRCUIT_DEFAULTS: CircuitBreakerOptions = {
  failureRate: 0.5,
  minimumTries: 20,
  windowMs: 30_000,
  openMs: 5_000,
  maxOpenMs: 60_000,
};

/** `alive`: the provider answered, if only with a refusal. `neutral`: the try says nothing about the provider. */
export type Verdict = 'alive' | 'failed' | 'neutral';

/** Calls let through at once after the first successful probe; each success lets one more through. */
const RAMP_START = 2;
/** From here on the way is free again. */
const RAMP_END = 32;
const SLOTS = 10;

interface Slot {
  index: number;
  tries: number;
  failed: number;
}

/** Gives a provider that fails a pause, asks with one probe whether it is back, and lets the calls return step by step. */
export class CircuitBreaker {
  private readonly options: CircuitBreakerOptions;
  private slots: Slot[] = [];
  private openUntil = 0;
  private failedProbes = 0;
  private state_: CircuitState = 'closed';
  private inFlight = 0;
  /** Calls at once while recovering; infinite otherwise. */
  private allowed = Number.POSITIVE_INFINITY;

  constructor(
    private readonly clock: Clock,
    private readonly random: Random,
    options: Partial<CircuitBreakerOptions> = {},
  ) {
    this.options = { ...CIRCUIT_DEFAULTS, ...options };
  }

  get state(): CircuitState {
    return this.state_ === 'open' && this.clock.now() >= this.openUntil ? 'half_open' : this.state_;
  }

  /**
   * Asks to let a call through; the returned function takes its verdict.
   * @throws IntegrationError `circuit_open`
   */
  enter(provider: string): (verdict: Verdict) => void {
    if (this.state_ === 'open' && this.clock.now() >= this.openUntil) {
      this.state_ = 'half_open';
      this.allowed = 1;
      this.inFlight = 0;
    }
    if (this.state_ === 'open' || this.inFlight >= this.allowed) {
      const retryAfterMs = this.state_ === 'open' ? Math.max(this.openUntil - this.clock.now(), 1) : 1_000;
      throw new IntegrationError('circuit_open', { provider, notExecuted: true, retryAfterMs });
    }
    const probe = this.state_ === 'half_open';
    const epoch = this.failedProbes;
    this.inFlight++;
    let open = true;
    return (verdict) => {
      if (!open) return;
      open = false;
      this.inFlight = Math.max(0, this.inFlight - 1);
      if (probe) this.probed(verdict);
      else if (epoch === this.failedProbes) this.counted(verdict);
    };
  }

  private probed(verdict: Verdict): void {
    if (verdict === 'neutral') return;
    if (verdict === 'failed') return this.open();
    this.state_ = 'closed';
    this.slots = [];
    this.failedProbes = 0;
    this.allowed = RAMP_START;
  }

  private counted(verdict: Verdict): void {
    if (verdict === 'neutral' || this.state_ !== 'closed') return;
    const failed = verdict === 'failed';
    if (this.allowed !== Number.POSITIVE_INFINITY) {
      if (failed) return this.open();
      this.allowed = this.allowed + 1 >= RAMP_END ? Number.POSITIVE_INFINITY : this.allowed + 1;
    }
    const { tries, failures } = this.count(failed);
    if (failed && tries >= this.options.minimumTries && failures / tries >= this.options.failureRate) this.open();
  }

  private open(): void {
    this.failedProbes++;
    const { openMs, maxOpenMs } = this.options;
    this.openUntil =
      this.clock.now() + 1.25 * backOffMs(this.failedProbes, { firstMs: openMs, maxMs: maxOpenMs, jitter: 0.4 }, this.random());
    this.state_ = 'open';
    this.slots = [];
  }

  private count(failed: boolean): { tries: number; failures: number } {
    const index = Math.floor(this.clock.now() / (this.options.windowMs / SLOTS));
    let slot = this.slots.at(-1);
    if (slot?.index !== index) {
      this.slots = this.slots.filter((each) => each.index > index - SLOTS && each.index < index);
      this.slots.push((slot = { index, tries: 0, failed: 0 }));
    }
    slot.tries++;
    if (failed) slot.failed++;
    const sums = { tries: 0, failures: 0 };
    for (const each of this.slots) {
      sums.tries += each.tries;
      sums.failures += each.failed;
    }
    return sums;
  }
}
