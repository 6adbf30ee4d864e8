import { Injectable } from '@nestjs/common';
import type { SessionPrincipal } from '../../http-api';
import { ConnectionRepository } from '../../integrations';
import { ConnectionTimeline } from '../admin/connection-timeline';
import { PAGE_ROWS } from '../admin/list-query';

/** What the pages of connections are made of. */
@Injectable()
export class ConnectionStates {
  constructor(
    private readonly connections: ConnectionRepository,
    private readonly timeline: ConnectionTimeline,
  ) {}

  list(caller: SessionPrincipal): Promise<unknown> {
    return this.connections.list(caller, { limit: PAGE_ROWS });
  }

  async one(id: string, caller: SessionPrincipal): Promise<unknown> {
    const connection = await this.connections.findWithSync(caller, id);
    const entries = await this.timeline.of(connection, caller);
    return [connection, entries.map(({ at, what, outcome }) => [at, what.text, outcome.text])];
  }
}
