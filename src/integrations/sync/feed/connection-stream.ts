import { Inject, Injectable, type BeforeApplicationShutdown } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { CLOCK, type Clock } from '../../../clock';
import { asTenant, type Scope } from '../../../database';
import { IntegrationError } from '../../../errors';
import { tenantInHand } from '../../../http-api';
import { IntegrationEvents } from '../../connections';
import { OpenStreams } from './open-streams';
import { RUN_COLUMNS, runOf, viewOf, type SyncRunRow } from '../runs/sync-run';

export interface StreamMessage {
  readonly type: 'sync' | 'changes' | 'heartbeat';
  readonly data: unknown;
}

/** How often the database is asked; what happens in this process is told at once. */
const POLL_MS = 2_000;
/** No more often than this, however fast the pages come. */
const PAUSE_MS = 250;
const HEARTBEAT_MS = 15_000;

export interface FollowOptions {
  /** ms since the epoch. */
  readonly until: number;
  readonly signal: AbortSignal;
  /** Who listens, as one text. */
  readonly user: string;
  /** Asked before anything is told: whether the connection stands, and whoever listens may still see it. Default: yes. */
  readonly goesOn?: () => Promise<boolean>;
}

interface Seen {
  run: string;
  change: string;
}

/** A connection's progress and changes as they happen, whichever process makes them: the database is asked, events only hasten it. */
@Injectable()
export class ConnectionStream implements BeforeApplicationShutdown {
  private readonly stopping = new AbortController();

  constructor(
    private readonly dataSource: DataSource,
    private readonly events: IntegrationEvents,
    private readonly open: OpenStreams,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  beforeApplicationShutdown(): void {
    this.stopping.abort(new IntegrationError('shutting_down'));
  }

  /**
   * Messages until the signal is aborted, `until` is over, `goesOn` says no or the process stops. The state as it is comes first.
   * @param signal has to be aborted when nobody listens any more: until then the stream counts
   * @throws IntegrationError `too_many_requests`, before the first message is asked for
   */
  follow(connectionId: string, options: FollowOptions): AsyncGenerator<StreamMessage> {
    this.open.add(options.user, options.signal);
    return this.messages(asTenant(this.dataSource, tenantInHand()), connectionId, options); // it goes on when the request's own context is over
  }

  private async *messages(scope: Scope, connectionId: string, { until, signal, goesOn }: FollowOptions): AsyncGenerator<StreamMessage> {
    const nudge = { wake: () => undefined as void };
    const unsubscribe = this.events.on('*', (event) => event.connectionId === connectionId && nudge.wake());
    const stop = AbortSignal.any([signal, this.stopping.signal]);
    const seen: Seen = { run: '', change: '' };
    let lastMessageAt = this.clock.now();
    try {
      while (!stop.aborted && this.clock.now() < until && (!goesOn || (await goesOn()))) {
        const messages = await this.news(scope, connectionId, seen);
        if (messages.length === 0 && this.clock.now() - lastMessageAt >= HEARTBEAT_MS) messages.push({ type: 'heartbeat', data: {} });
        if (messages.length > 0) lastMessageAt = this.clock.now();
        yield* messages;
        await this.pause(PAUSE_MS, stop);
        await this.pauseOrNudge(nudge, Math.min(POLL_MS, Math.max(until - this.clock.now(), 0)), stop);
      }
    } finally {
      unsubscribe();
    }
  }

  private async news(scope: Scope, connectionId: string, seen: Seen): Promise<StreamMessage[]> {
    const messages: StreamMessage[] = [];
    const [row] = await scope.query<SyncRunRow>(
      `SELECT ${RUN_COLUMNS} FROM sync_runs WHERE connection_id = $1 ORDER BY created_at DESC LIMIT 1`,
      [connectionId],
    );
    const run = row && JSON.stringify(viewOf(runOf(row)));
    if (run && run !== seen.run) {
      seen.run = run;
      messages.push({ type: 'sync', data: JSON.parse(run) as unknown });
    }
    const [sequence] = await scope.query<{ last_change: string }>('SELECT last_change FROM record_sequences WHERE connection_id = $1', [
      connectionId,
    ]);
    if (sequence && sequence.last_change !== seen.change) {
      seen.change = sequence.last_change;
      messages.push({ type: 'changes', data: { lastChange: Number(sequence.last_change) } });
    }
    return messages;
  }

  private async pause(ms: number, stop: AbortSignal): Promise<void> {
    await this.clock.sleep(ms, stop).catch(() => undefined); // the loop looks at the signal
  }

  private async pauseOrNudge(nudge: { wake: () => void }, ms: number, stop: AbortSignal): Promise<void> {
    const sleeping = new AbortController();
    nudge.wake = () => sleeping.abort();
    await this.pause(ms, AbortSignal.any([stop, sleeping.signal]));
  }
}
