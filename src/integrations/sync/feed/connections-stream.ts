import { Inject, Injectable, type BeforeApplicationShutdown } from '@nestjs/common';
import { CLOCK, type Clock } from '../../../clock';
import { IntegrationError } from '../../../errors';
import {
  ConnectionRepository,
  ConnectionViews,
  IntegrationEvents,
  type ConnectionViewer,
  type ConnectionWithSync,
} from '../../connections';
import { viewOf, type SyncRunView } from '../runs/sync-run';
import { SyncService } from '../runs/sync.service';
import { listenerOf, OpenStreams } from './open-streams';

type ConnectionView = ReturnType<ConnectionViews['of']>;

export type ConnectionsMessage =
  | { readonly type: 'connection'; readonly data: { readonly connection: ConnectionView; readonly run: SyncRunView | null } }
  | { readonly type: 'gone'; readonly data: { readonly id: string } }
  | { readonly type: 'ready'; readonly data: { readonly ids: readonly string[] } }
  | { readonly type: 'heartbeat'; readonly data: Record<string, never> };

/** How often the state is read, which another process may have changed; what happens in this one is told at once. */
const POLL_MS = 1_000;
/** No more often than this, however much happens. */
const PAUSE_MS = 150;
const HEARTBEAT_MS = 15_000;
/** More than these nobody has on one page. */
const MOST_CONNECTIONS = 200;

export interface FollowConnections {
  readonly viewer: ConnectionViewer;
  /** ms since the epoch. */
  readonly until: number;
  readonly signal: AbortSignal;
  /** Asked before anything is told: whether the caller's token still opens it. */
  readonly goesOn: () => Promise<boolean>;
}

/** A person's connections as they change, each with its sync: all at first, then what differs. */
@Injectable()
export class ConnectionsStream implements BeforeApplicationShutdown {
  private readonly stopping = new AbortController();

  constructor(
    private readonly connections: ConnectionRepository,
    private readonly views: ConnectionViews,
    private readonly syncs: SyncService,
    private readonly events: IntegrationEvents,
    private readonly open: OpenStreams,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  beforeApplicationShutdown(): void {
    this.stopping.abort(new IntegrationError('shutting_down'));
  }

  /** @throws IntegrationError `too_many_requests`, before the first message is asked for */
  follow(options: FollowConnections): AsyncGenerator<ConnectionsMessage> {
    const { viewer, signal } = options;
    this.open.add(listenerOf(viewer), signal);
    return this.messages({ ...options, viewer: { ...viewer, ownOnly: true } });
  }

  private async *messages({ viewer, until, signal, goesOn }: FollowConnections): AsyncGenerator<ConnectionsMessage> {
    const stop = AbortSignal.any([signal, this.stopping.signal]);
    const nudge = { wake: () => undefined as void };
    const unsubscribe = this.events.on('*', ({ tenant }) => tenant === viewer.tenant && nudge.wake());
    const told = new Map<string, string>();
    let toldAt = this.clock.now();
    let isFirst = true;
    try {
      while (!stop.aborted && this.clock.now() < until && (await goesOn())) {
        const messages = await this.news(viewer, told);
        if (isFirst) messages.push({ type: 'ready', data: { ids: [...told.keys()] } });
        isFirst = false;
        if (messages.length === 0 && this.clock.now() - toldAt >= HEARTBEAT_MS) messages.push({ type: 'heartbeat', data: {} });
        if (messages.length > 0) toldAt = this.clock.now();
        yield* messages;
        await this.pauseOrNudge(nudge, Math.min(POLL_MS, Math.max(until - this.clock.now(), 0)), stop);
      }
    } finally {
      unsubscribe();
    }
  }

  private async news(viewer: ConnectionViewer, told: Map<string, string>): Promise<ConnectionsMessage[]> {
    const found = await this.connections.list(viewer, { limit: MOST_CONNECTIONS });
    const ids = new Set(found.map(({ id }) => id));
    const gone = [...told.keys()].filter((id) => !ids.has(id));
    for (const id of gone) told.delete(id);
    const messages: ConnectionsMessage[] = gone.map((id) => ({ type: 'gone', data: { id } }));
    for (const connection of found) {
      const data = { connection: this.views.of(connection), run: await this.runOf(connection) };
      const text = JSON.stringify(data);
      if (told.get(connection.id) === text) continue;
      told.set(connection.id, text);
      messages.push({ type: 'connection', data });
    }
    return messages;
  }

  /** The run under way: of one that has ended the connection itself says what came of it. */
  private async runOf({ id, tenant, syncInProgress }: ConnectionWithSync): Promise<SyncRunView | null> {
    if (!syncInProgress) return null;
    const runs = await this.syncs.list({ tenant, connectionId: id, limit: 2 });
    const run = runs.find(({ status }) => status === 'running') ?? runs[0];
    return run ? viewOf(run) : null;
  }

  private async pauseOrNudge(nudge: { wake: () => void }, ms: number, stop: AbortSignal): Promise<void> {
    const sleeping = new AbortController();
    nudge.wake = () => sleeping.abort();
    await this.clock.sleep(Math.min(PAUSE_MS, ms), stop).catch(() => undefined); // the loop looks at the signal
    await this.clock.sleep(Math.max(ms - PAUSE_MS, 0), AbortSignal.any([stop, sleeping.signal])).catch(() => undefined);
  }
}
