import { Injectable } from '@nestjs/common';
import { ConnectionRepository, ConnectionViews, type ConnectionViewer, type ConnectionWithSync } from '../../connections';
import { viewOf, type SyncRunView } from '../runs/sync-run';
import { SyncService } from '../runs/sync.service';
import { listenerOf } from './open-streams';
import { StateFollower, type Heartbeat, type Listening } from './state-follower';

type ConnectionView = ReturnType<ConnectionViews['of']>;

export type ConnectionsMessage =
  | { readonly type: 'connection'; readonly data: { readonly connection: ConnectionView; readonly run: SyncRunView | null } }
  | { readonly type: 'gone'; readonly data: { readonly id: string } }
  | { readonly type: 'ready'; readonly data: { readonly ids: readonly string[] } }
  | Heartbeat;

const PACE = { pollMs: 1_000, pauseMs: 150 };
/** More than these nobody has on one page. */
const MOST_CONNECTIONS = 200;

export interface FollowConnections extends Omit<Listening, 'user'> {
  readonly viewer: ConnectionViewer;
}

/** A person's connections as they change, each with its sync: all at first, then what differs. */
@Injectable()
export class ConnectionsStream {
  constructor(
    private readonly connections: ConnectionRepository,
    private readonly views: ConnectionViews,
    private readonly syncs: SyncService,
    private readonly follower: StateFollower,
  ) {}

  /** @throws IntegrationError `too_many_requests`, before the first message is asked for */
  follow({ viewer, ...listening }: FollowConnections): AsyncGenerator<ConnectionsMessage> {
    const own = { ...viewer, ownOnly: true };
    const told = new Map<string, string>();
    let isFirst = true;
    return this.follower.follow<ConnectionsMessage>(
      { ...listening, user: listenerOf(viewer) },
      {
        ...PACE,
        news: async () => {
          const messages = await this.news(own, told);
          if (isFirst) messages.push({ type: 'ready', data: { ids: [...told.keys()] } });
          isFirst = false;
          return messages;
        },
        concerns: ({ tenant }) => tenant === viewer.tenant,
      },
    );
  }

  private async news(viewer: ConnectionViewer, told: Map<string, string>): Promise<ConnectionsMessage[]> {
    const found = await this.connections.list(viewer, { limit: MOST_CONNECTIONS });
    const ids = new Set(found.map(({ id }) => id));
    const gone = [...told.keys()].filter((id) => !ids.has(id));
    for (const id of gone) told.delete(id);
    const messages: ConnectionsMessage[] = gone.map((id) => ({ type: 'gone', data: { id } }));
    for (const connection of found) {
      const data = { connection: this.views.of(viewer, connection), run: await this.runOf(connection) };
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
}
