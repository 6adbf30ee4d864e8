import { Inject, Injectable, type BeforeApplicationShutdown } from '@nestjs/common';
import { CLOCK, type Clock } from '../../clock';
import { IntegrationError } from '../../errors';
import { IntegrationEvents } from '../../integrations';
import { LiveTopics, type WatchedTopic } from './live-topics';

/** How often the state is read, which another process may have changed; what happens in this one is told at once. Oftener while things happen. */
const POLL_MS = 400;
const BUSY_POLL_MS = 200;
const BUSY_FOR_MS = 10_000;
/** No more often than this, however much happens. */
const PAUSE_MS = 100;
const HEARTBEAT_MS = 15_000;
/** How often it is looked whether the session goes on. */
const SESSION_MS = 2_000;
/** Streams open in this process: of all, and of one person. */
const MAX_STREAMS = 200;
const MAX_OF_A_PERSON = 10;
const RETRY_MS = 30_000;

export type PageMessage = 'changed' | 'heartbeat' | 'ended';

export interface PageStream extends WatchedTopic {
  /** Aborted when nobody listens any more: until then the stream counts. */
  readonly signal: AbortSignal;
  /** Whether the session goes on. */
  readonly goesOn: () => Promise<boolean>;
}

/** Tells open pages that what they show has changed. They read it anew by their own address: nothing but that goes over the stream. */
@Injectable()
export class PageStreams implements BeforeApplicationShutdown {
  private readonly stopping = new AbortController();
  private readonly open = new Map<string, number>();
  private all = 0;

  constructor(
    private readonly topics: LiveTopics,
    private readonly events: IntegrationEvents,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  beforeApplicationShutdown(): void {
    this.stopping.abort(new IntegrationError('shutting_down'));
  }

  /**
   * The state is known when this answers: a page that reads itself after that misses nothing between the two.
   * @throws IntegrationError `too_many_requests`
   */
  async follow(stream: PageStream): Promise<AsyncGenerator<PageMessage>> {
    const { caller, signal } = stream;
    const person = JSON.stringify([caller.tenant, caller.userId]);
    const own = this.open.get(person) ?? 0;
    if (own >= MAX_OF_A_PERSON || this.all >= MAX_STREAMS) throw new IntegrationError('too_many_requests', { retryAfterMs: RETRY_MS });
    this.open.set(person, own + 1);
    this.all++;
    signal.addEventListener('abort', () => this.closed(person), { once: true });
    if (signal.aborted) this.closed(person);
    return this.messages(stream, await this.topics.stateOf(stream));
  }

  private async *messages({ topic, id, caller, signal, goesOn }: PageStream, first: string): AsyncGenerator<PageMessage> {
    const stop = AbortSignal.any([signal, this.stopping.signal]);
    const nudge = { wake: () => undefined as void };
    const unsubscribe = this.events.on('*', ({ tenant }) => (caller.role === 'operator' || tenant === caller.tenant) && nudge.wake());
    const watched = { topic, id, caller };
    let before = first;
    let changedAt = 0;
    let toldAt = this.clock.now();
    let lookedAt = toldAt;
    try {
      while (!stop.aborted) {
        await this.pauseOrNudge(nudge, this.clock.now() - changedAt < BUSY_FOR_MS ? BUSY_POLL_MS : POLL_MS, stop);
        if (this.clock.now() - lookedAt >= SESSION_MS) {
          if (!(await goesOn())) return void (yield 'ended');
          lookedAt = this.clock.now();
        }
        const state = await this.topics.stateOf(watched);
        const message = state !== before ? 'changed' : this.clock.now() - toldAt >= HEARTBEAT_MS ? 'heartbeat' : undefined;
        if (state !== before) changedAt = this.clock.now();
        before = state;
        if (message === undefined || stop.aborted) continue;
        toldAt = this.clock.now();
        yield message;
      }
    } finally {
      unsubscribe();
    }
  }

  private closed(person: string): void {
    const left = (this.open.get(person) ?? 1) - 1;
    if (left > 0) this.open.set(person, left);
    else this.open.delete(person);
    this.all--;
  }

  private async pauseOrNudge(nudge: { wake: () => void }, pollMs: number, stop: AbortSignal): Promise<void> {
    const sleeping = new AbortController();
    nudge.wake = () => sleeping.abort();
    await this.clock.sleep(PAUSE_MS, stop).catch(() => undefined); // the loop looks at the signal
    await this.clock.sleep(pollMs - PAUSE_MS, AbortSignal.any([stop, sleeping.signal])).catch(() => undefined);
  }
}
