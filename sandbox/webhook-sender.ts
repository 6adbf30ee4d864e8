import { Agent, request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Ledger } from './ledger';
import type { ProviderName } from './sandbox.types';

/** One webhook; `build` is called anew for each attempt, so that timestamps and retry headers are fresh. */
export interface Delivery {
  provider: ProviderName;
  eventId: string;
  type: string;
  account?: string;
  forged?: string;
  /** A full address instead of target + path. */
  url?: string;
  path: string;
  build: (attempt: number) => { headers: Record<string, string>; body: string };
  /** Which answers end the matter besides 2xx. */
  isFinal?: (status: number) => boolean;
}

export interface DeliveryResult {
  status: number | null;
  error?: string;
  durationMs: number;
}

const DEFAULT_TIMEOUT_MS = 10_000;
const MAX_QUEUE = 200_000;

/** At-least-once deliveries with retries and a bound on those in flight. */
export class WebhookSender {
  private targets: string[] = [];
  private turn = 0;
  private inFlight = 0;
  private waiting: (() => void)[] = [];
  private outstanding = 0;
  private stopped = false;
  private readonly timers = new Set<NodeJS.Timeout>();
  private readonly agent = new Agent({ keepAlive: true, maxSockets: 256 });

  constructor(
    private readonly ledger: Ledger,
    private readonly retryMs: number[],
    private readonly concurrency: number,
    private readonly now: () => number,
    /** How long each provider waits for an answer. */
    private readonly timeoutsMs: Readonly<Record<ProviderName, number>>,
  ) {}

  /** One origin, or several separated by commas that are used in turn; empty stops deliveries. */
  setTarget(origins: string | undefined): void {
    this.targets = (origins ?? '')
      .split(',')
      .map((origin) => origin.trim().replace(/\/+$/, ''))
      .filter(Boolean);
  }

  get hasTarget(): boolean {
    return this.targets.length > 0;
  }

  /** Queues a delivery with retries; without a target it is dropped. */
  enqueue(delivery: Delivery): void {
    if (this.stopped || (!delivery.url && !this.hasTarget) || this.outstanding >= MAX_QUEUE) return;
    this.outstanding++;
    void this.run(delivery).finally(() => this.outstanding--);
  }

  /** Waits until nothing is queued; false when the deadline comes first. */
  async settle(timeoutMs: number): Promise<boolean> {
    const end = Date.now() + timeoutMs;
    while (this.outstanding > 0) {
      if (Date.now() >= end) return false;
      await this.pause(5);
    }
    return true;
  }

  /** One attempt, at once, for storms that are steered from outside. */
  async attempt(delivery: Delivery, attempt: number): Promise<DeliveryResult> {
    const url = delivery.url ?? this.nextTarget() + delivery.path;
    const entry = this.ledger.open({
      kind: 'delivery',
      provider: delivery.provider,
      endpoint: delivery.type,
      eventId: delivery.eventId,
      attempt,
      ...(delivery.account ? { account: delivery.account } : {}),
      ...(delivery.forged ? { forged: delivery.forged } : {}),
    });
    const startedAt = this.now();
    try {
      const { headers, body } = delivery.build(attempt);
      const status = await this.post(url, headers, body, this.timeoutsMs[delivery.provider] ?? DEFAULT_TIMEOUT_MS);
      this.ledger.close(entry, 'answered', status);
      return { status, durationMs: this.now() - startedAt };
    } catch (error) {
      this.ledger.close(entry, 'failed', null);
      return { status: null, error: error instanceof Error ? error.message : String(error), durationMs: this.now() - startedAt };
    }
  }

  stop(): void {
    this.stopped = true;
    for (const timer of this.timers) clearTimeout(timer);
    this.waiting.splice(0).forEach((go) => go());
    this.agent.destroy();
  }

  private async run(delivery: Delivery): Promise<void> {
    for (let attempt = 0; attempt <= this.retryMs.length; attempt++) {
      await this.acquire();
      let result: DeliveryResult;
      try {
        if (this.stopped) return;
        result = await this.attempt(delivery, attempt);
      } finally {
        this.release();
      }
      if (result.status !== null && ((result.status >= 200 && result.status < 300) || delivery.isFinal?.(result.status))) return;
      const wait = this.retryMs[attempt];
      if (wait === undefined || this.stopped) return;
      await this.pause(wait);
    }
  }

  private nextTarget(): string {
    return this.targets[this.turn++ % Math.max(1, this.targets.length)] ?? '';
  }

  private acquire(): Promise<void> {
    if (this.inFlight < this.concurrency) {
      this.inFlight++;
      return Promise.resolve();
    }
    return new Promise((resolve) =>
      this.waiting.push(() => {
        this.inFlight++;
        resolve();
      }),
    );
  }

  private release(): void {
    this.inFlight--;
    this.waiting.shift()?.();
  }

  private pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.timers.delete(timer);
        resolve();
      }, ms);
      timer.unref();
      this.timers.add(timer);
    });
  }

  private post(url: string, headers: Record<string, string>, body: string, timeoutMs: number): Promise<number> {
    return new Promise((resolve, reject) => {
      const secure = url.startsWith('https:');
      const send = secure ? httpsRequest : httpRequest;
      const payload = Buffer.from(body);
      const outgoing = send(
        url,
        { method: 'POST', headers: { ...headers, 'content-length': payload.length }, ...(secure ? {} : { agent: this.agent }) },
        (incoming) => {
          incoming.resume();
          incoming.on('end', () => resolve(incoming.statusCode ?? 0));
          incoming.on('error', reject);
        },
      );
      outgoing.setTimeout(timeoutMs, () => outgoing.destroy(new Error('timeout')));
      outgoing.on('error', (error: NodeJS.ErrnoException) => {
        // The other side closed an idle connection just as it was used again: nothing was sent on it.
        if (error.code === 'ECONNRESET' && outgoing.reusedSocket)
          resolve(this.post(url, { ...headers, connection: 'close' }, body, timeoutMs));
        else reject(error);
      });
      outgoing.end(payload);
    });
  }
}
