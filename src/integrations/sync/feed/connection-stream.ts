import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { asTenant, type Scope } from '../../../database';
import { tenantInHand } from '../../../http-api';
import { RUN_COLUMNS, runOf, viewOf, type SyncRunRow } from '../runs/sync-run';
import { StateFollower, type Listening } from './state-follower';

export interface StreamMessage {
  readonly type: 'sync' | 'changes' | 'heartbeat';
  readonly data: unknown;
}

const PACE = { pollMs: 2_000, pauseMs: 250 };

interface Seen {
  run: string;
  change: string;
}

/** A connection's progress and changes as they happen. */
@Injectable()
export class ConnectionStream {
  constructor(
    private readonly dataSource: DataSource,
    private readonly follower: StateFollower,
  ) {}

  /**
   * The state as it is comes first.
   * @throws IntegrationError `too_many_requests`, before the first message is asked for
   */
  follow(connectionId: string, listening: Listening): AsyncGenerator<StreamMessage> {
    const scope = asTenant(this.dataSource, tenantInHand()); // it goes on when the request's own context is over
    const seen: Seen = { run: '', change: '' };
    return this.follower.follow<StreamMessage>(listening, {
      ...PACE,
      news: () => this.news(scope, connectionId, seen),
      concerns: (event) => event.connectionId === connectionId,
    });
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
}
