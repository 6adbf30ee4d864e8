import { IntegrationError } from '../../../errors';
import type { Call } from '../call';
import type { Interceptor, Next } from '../interceptor';

export interface BulkheadOptions {
  /** Requests in flight to one provider. Default 64. */
  readonly maxInFlight: number;
  /** Calls that wait for a place. Default 1 000. */
  readonly maxWaiting: number;
}

export const BULKHEAD_DEFAULTS: BulkheadOptions = { maxInFlight: 64, maxWaiting: 1_000 };

/**
 * Bounds what is in flight to one provider, so that one that hangs cannot take all sockets. Innermost: a call that waits for its
 * rate limit or for a token holds no place, and a token call never waits for the call that needs it.
 */
export class BulkheadInterceptor implements Interceptor {
  private readonly options: BulkheadOptions;
  private readonly places = new Map<string, Places>();

  constructor(options: Partial<BulkheadOptions> = {}) {
    this.options = { ...BULKHEAD_DEFAULTS, ...options };
  }

  intercept(call: Call, next: Next): Promise<Response> {
    const key = `${call.provider.key} ${call.purpose}`;
    let places = this.places.get(key);
    if (!places) this.places.set(key, (places = new Places(this.options)));
    const inside = places;
    const waits = inside.enter(call);
    return waits ? waits.then(() => sent(inside, call, next)) : sent(inside, call, next);
  }
}

function sent(places: Places, call: Call, next: Next): Promise<Response> {
  const leave = () => places.leave();
  return next(call).then(
    (response) => {
      const { bodyEnd } = call.record;
      if (bodyEnd) void bodyEnd.then(leave, leave);
      else leave();
      return response;
    },
    (error: unknown) => {
      leave();
      throw error;
    },
  );
}

class Places {
  private taken = 0;
  private readonly waiting = new Set<() => void>();

  constructor(private readonly options: BulkheadOptions) {}

  /** @returns what has to be waited for; undefined where there is a place */
  enter(call: Call): Promise<void> | undefined {
    if (this.taken < this.options.maxInFlight) {
      this.taken++;
      return undefined;
    }
    const busy = () => new IntegrationError('busy', { provider: call.provider.key, notExecuted: true, retryAfterMs: 1_000 });
    if (this.waiting.size >= this.options.maxWaiting || call.signal.aborted) throw busy();
    return new Promise<void>((resolve, reject) => {
      const go = () => {
        call.signal.removeEventListener('abort', onAbort);
        resolve();
      };
      const onAbort = () => {
        this.waiting.delete(go);
        reject(busy());
      };
      this.waiting.add(go);
      call.signal.addEventListener('abort', onAbort, { once: true });
    });
  }

  /** The place goes straight to the one that waited longest. */
  leave(): void {
    const [first] = this.waiting;
    if (!first) {
      this.taken--;
      return;
    }
    this.waiting.delete(first);
    first();
  }
}
