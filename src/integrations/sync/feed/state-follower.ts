import { Inject, Injectable, type BeforeApplicationShutdown } from '@nestjs/common';
import { CLOCK, type Clock } from '../../../clock';
import { IntegrationError } from '../../../errors';
import { IntegrationEvents, type IntegrationEvent } from '../../connections';
import { OpenStreams } from './open-streams';

const HEARTBEAT_MS = 15_000;

export interface Heartbeat {
  readonly type: 'heartbeat';
  readonly data: Record<string, never>;
}

export interface Listening {
  /** Who listens, as one text. */
  readonly user: string;
  /** ms since the epoch. */
  readonly until: number;
  /** Has to be aborted when nobody listens any more: until then the stream counts. */
  readonly signal: AbortSignal;
  /** Asked before anything is told: whether whoever listens may still hear it. */
  readonly goesOn: () => Promise<boolean>;
}

export interface FollowedState<Message> {
  /** Reads the state: what is new since it was read last. All of it at first. */
  readonly news: () => Promise<readonly Message[]>;
  /** What the state may have changed by. */
  readonly concerns: (event: IntegrationEvent) => boolean;
  /** How often the state is read, which another process may have changed; what happens in this one is told at once. */
  readonly pollMs: number;
  /** No more often than this, however much happens. */
  readonly pauseMs: number;
}

/** Tells a state as it changes, whichever process changes it: the database is asked, events only hasten it. */
@Injectable()
export class StateFollower implements BeforeApplicationShutdown {
  private readonly stopping = new AbortController();

  constructor(
    private readonly events: IntegrationEvents,
    private readonly open: OpenStreams,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  beforeApplicationShutdown(): void {
    this.stopping.abort(new IntegrationError('shutting_down'));
  }

  /**
   * Messages until the signal is aborted, `until` is over, `goesOn` says no or the process stops; a heartbeat where there are none for long.
   * @throws IntegrationError `too_many_requests`, before the first message is asked for
   */
  follow<Message>(listening: Listening, state: FollowedState<Message>): AsyncGenerator<Message | Heartbeat> {
    this.open.add(listening.user, listening.signal);
    return this.messages(listening, state);
  }

  private async *messages<Message>(
    { until, signal, goesOn }: Listening,
    { news, concerns, pollMs, pauseMs }: FollowedState<Message>,
  ): AsyncGenerator<Message | Heartbeat> {
    const stop = AbortSignal.any([signal, this.stopping.signal]);
    let changed = new AbortController();
    const unsubscribe = this.events.on('*', (event) => concerns(event) && changed.abort());
    let toldAt = this.clock.now();
    try {
      while (!stop.aborted && this.clock.now() < until && (await goesOn())) {
        changed = new AbortController(); // what happens while the state is read may not be in it
        const messages: (Message | Heartbeat)[] = [...(await news())];
        if (messages.length === 0 && this.clock.now() - toldAt >= HEARTBEAT_MS) messages.push({ type: 'heartbeat', data: {} });
        if (messages.length > 0) toldAt = this.clock.now();
        yield* messages;
        await this.pause(Math.min(pauseMs, until - this.clock.now()), stop);
        await this.pause(Math.min(pollMs - pauseMs, until - this.clock.now()), AbortSignal.any([stop, changed.signal]));
      }
    } finally {
      unsubscribe();
    }
  }

  private async pause(ms: number, stop: AbortSignal): Promise<void> {
    await this.clock.sleep(Math.max(ms, 0), stop).catch(() => undefined); // the loop looks at the signal
  }
}
