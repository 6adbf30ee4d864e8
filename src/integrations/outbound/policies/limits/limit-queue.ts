import type { Clock, StopSignal } from '../../../../clock';
import { IntegrationError } from '../../../../errors';
import type { Bucket } from './gcra';
import type { LimitStore, Take } from './limit-store';
import { needsOf, SharedQuestions } from './shared-questions';

export interface LimitQueueOptions {
  /** Calls of one account that wait. Default 500. */
  readonly maxWaitingPerAccount: number;
  /** Calls that wait in all. Default 5 000. */
  readonly maxWaiting: number;
}

export const LIMIT_QUEUE_DEFAULTS: LimitQueueOptions = { maxWaitingPerAccount: 500, maxWaiting: 5_000 };

export interface Ask {
  readonly provider: string;
  readonly account: string;
  readonly buckets: readonly Bucket[];
  readonly signal: StopSignal;
  readonly deadlineAt: number;
}

interface Waiter extends Ask {
  /** The same for those who need the same. */
  readonly needs: string;
  resolve(): void;
  reject(error: Error): void;
}

/** A bucket that a nearly-due timer woke for early is asked again after at least this, ms. */
const LEAST_SLEEP_MS = 1;
/** Waiters that one question to the store is for. */
const MOST_AT_ONCE = 50;

/**
 * Callers of one provider that wait for their buckets, in the order in which they came: whoever waits for a bucket goes before
 * who came later and needs it too; whoever needs only others passes by.
 */
export class LimitQueue {
  private readonly options: LimitQueueOptions;
  private readonly questions: SharedQuestions;
  private readonly waiters = new Set<Waiter>();
  private readonly perAccount = new Map<string, number>();
  /** Units that are waited for, by bucket. */
  private readonly queued = new Map<string, number>();
  /** Buckets that had no room at the last look, and until when. */
  private blocked = new Map<string, number>();
  private looking = false;
  private lookAgain = false;
  private timer?: AbortController;

  constructor(
    private readonly store: LimitStore,
    private readonly clock: Clock,
    options: Partial<LimitQueueOptions> = {},
  ) {
    this.options = { ...LIMIT_QUEUE_DEFAULTS, ...options };
    this.questions = new SharedQuestions(store);
  }

  /**
   * Resolves when every bucket gave its units; undefined where they were given at once.
   * @throws IntegrationError `provider_rate_limited` where the wait cannot fit before the deadline, `busy` where too many wait
   */
  enter(ask: Ask): Promise<void> | undefined {
    if (this.waiters.size === 0) this.blocked.clear();
    if (this.mustQueue(ask)) return this.wait(ask, 0);
    const answer = this.questions.take(ask.buckets);
    if (answer instanceof Promise) return answer.then((take) => this.taken(ask, take));
    return this.taken(ask, answer);
  }

  private taken(ask: Ask, take: Take): Promise<void> | undefined {
    if (take.taken > 0) return undefined;
    this.note(take);
    return this.wait(ask, take.waitMs);
  }

  /** Callers that wait now. */
  get length(): number {
    return this.waiters.size;
  }

  private note({ waitMs, blocked }: Take): void {
    for (const key of blocked) this.blocked.set(key, this.clock.now() + waitMs);
  }

  private mustQueue(ask: Ask): boolean {
    return this.waiters.size > 0 && ask.buckets.some(({ key }) => this.blocked.has(key) && this.queued.has(key));
  }

  private estimate(ask: Ask, waitMs: number): number {
    const now = this.clock.now();
    const known = Math.max(waitMs, ...ask.buckets.map(({ key }) => (this.blocked.get(key) ?? now) - now));
    return Math.max(known, ...ask.buckets.map(({ key, intervalMs }) => known + (this.queued.get(key) ?? 0) * intervalMs));
  }

  private wait(ask: Ask, waitMs: number): Promise<void> {
    const estimatedMs = this.estimate(ask, waitMs);
    if (this.clock.now() + estimatedMs > ask.deadlineAt) throw limited(ask, estimatedMs);
    const mine = this.perAccount.get(ask.account) ?? 0;
    if (this.waiters.size >= this.options.maxWaiting || mine >= this.options.maxWaitingPerAccount || ask.signal.aborted) {
      throw new IntegrationError('busy', { provider: ask.provider, notExecuted: true, retryAfterMs: Math.max(waitMs, 1_000) });
    }
    return new Promise<void>((resolve, reject) => {
      const leave = () => {
        ask.signal.removeEventListener('abort', onAbort);
        this.remove(waiter);
      };
      const waiter: Waiter = {
        ...ask,
        needs: needsOf(ask.buckets),
        resolve: () => (leave(), resolve()),
        reject: (error) => (leave(), reject(error)),
      };
      const onAbort = () => {
        waiter.reject(limited(ask, 1_000));
        void this.look();
      };
      ask.signal.addEventListener('abort', onAbort, { once: true });
      this.add(waiter);
      if (this.waiters.size === 1 && waitMs > 0) this.lookIn(waitMs);
      else if (!this.timer || waitMs > 0) void this.look();
    });
  }

  /** Asks for those who wait, in order, until the rest is blocked; then sleeps until the first of those can go. */
  private async look(): Promise<void> {
    if (this.looking) {
      this.lookAgain = true;
      return;
    }
    this.looking = true;
    try {
      do {
        this.lookAgain = false;
        await this.pass();
      } while (this.lookAgain);
    } finally {
      this.looking = false;
    }
  }

  private async pass(): Promise<void> {
    const waits = new Map<string, number>();
    for (const waiter of this.waiters) {
      const known = Math.max(0, ...waiter.buckets.map(({ key }) => waits.get(key) ?? 0));
      if (known === 0) {
        // One question for all who stand together: the way to the store may be longer than a unit takes.
        const group = this.groupFrom(waiter);
        const answer = this.store.take(waiter.buckets, group.length);
        const take = answer instanceof Promise ? await answer : answer;
        if (take.taken > 0) {
          // Who gave up while the store was asked leaves its place to the next; what is left over is lost, never given twice.
          const going = group.filter((each) => this.waiters.has(each)).slice(0, take.taken);
          for (const each of going) each.resolve();
          continue;
        }
        for (const key of take.blocked) waits.set(key, take.waitMs);
      }
      const waitMs = Math.max(known, ...waiter.buckets.map(({ key }) => waits.get(key) ?? 0));
      if (this.clock.now() + waitMs > waiter.deadlineAt) waiter.reject(limited(waiter, waitMs));
    }
    this.blocked = new Map([...waits].map(([key, ms]) => [key, this.clock.now() + ms]));
    if (this.waiters.size > 0 && waits.size > 0) this.lookIn(Math.min(...waits.values()));
  }

  /** This one and those right behind it who need the same. */
  private groupFrom(first: Waiter): Waiter[] {
    const group: Waiter[] = [];
    let begun = false;
    for (const waiter of this.waiters) {
      begun ||= waiter === first;
      if (!begun) continue;
      if (waiter.needs !== first.needs || group.length === MOST_AT_ONCE) break;
      group.push(waiter);
    }
    return group;
  }

  private lookIn(ms: number): void {
    this.timer?.abort();
    const timer = new AbortController();
    this.timer = timer;
    this.clock.sleep(Math.max(ms, LEAST_SLEEP_MS), timer.signal).then(
      () => {
        this.timer = undefined;
        void this.look();
      },
      () => undefined,
    );
  }

  private add(waiter: Waiter): void {
    this.waiters.add(waiter);
    this.perAccount.set(waiter.account, (this.perAccount.get(waiter.account) ?? 0) + 1);
    for (const { key, cost } of waiter.buckets) this.queued.set(key, (this.queued.get(key) ?? 0) + cost);
  }

  private remove(waiter: Waiter): void {
    if (!this.waiters.delete(waiter)) return;
    lower(this.perAccount, waiter.account, 1);
    for (const { key, cost } of waiter.buckets) lower(this.queued, key, cost);
  }
}

function lower(counts: Map<string, number>, key: string, by: number): void {
  const left = (counts.get(key) ?? 0) - by;
  if (left > 0) counts.set(key, left);
  else counts.delete(key);
}

function limited(ask: Ask, waitMs: number): IntegrationError {
  return new IntegrationError('provider_rate_limited', {
    provider: ask.provider,
    notExecuted: true,
    retryAfterMs: Math.max(Math.ceil(waitMs), 1),
  });
}
