import { Injectable, Logger } from '@nestjs/common';
import { AuditLog } from '../../audit';
import { toRef } from '../connection';
import { ConnectionRepository } from '../connection.repository';
import { DisconnectService } from '../disconnect.service';
import type { ConnectionRef } from '../../contract';
import { PersonalData, type DataSubject } from './personal-data';

/** Connections that are ended at once: each may wait for its provider. */
const AT_ONCE = 8;
/** Of those that ended long ago, so many a sweep. */
const SWEEP = 500;

/** Ends and destroys: a connection with its data, a person, an organization. Whatever was cut off is asked for again. */
@Injectable()
export class Erasure {
  private readonly logger = new Logger(Erasure.name);

  constructor(
    private readonly data: PersonalData,
    private readonly connections: ConnectionRepository,
    private readonly disconnects: DisconnectService,
    private readonly audit: AuditLog,
  ) {}

  /** Disconnects, then destroys all that is held of the connection, its own row as well. */
  async purge(connection: ConnectionRef): Promise<{ revoked: boolean }> {
    const ended = await this.purgeOne(connection);
    await this.data.purgeLeftOver();
    return ended;
  }

  private async purgeOne(connection: ConnectionRef): Promise<{ revoked: boolean }> {
    const act = { action: 'connection.purge' as const, tenant: connection.tenant, target: `connection:${connection.id}` };
    return this.audit.around(act, async () => {
      const ended = await this.disconnects.disconnect(connection);
      await this.data.purge(connection.id);
      return ended;
    });
  }

  /** @returns how many connections were purged, and of how many the provider confirmed the end */
  async erase(subject: DataSubject): Promise<{ connections: number; revoked: number }> {
    const act = { action: 'user.erase' as const, tenant: subject.tenant, target: nameOf(subject) };
    return this.audit.around(act, async () => {
      const ids = await this.data.connectionsOf(subject);
      let revoked = 0;
      for (let from = 0; from < ids.length; from += AT_ONCE) {
        const ended = await Promise.all(ids.slice(from, from + AT_ONCE).map((id) => this.purgeById(id)));
        revoked += ended.filter(Boolean).length;
      }
      await this.data.erase(subject);
      await this.data.purgeLeftOver();
      return { connections: ids.length, revoked };
    });
  }

  /** Lines of JSON. That it was asked for is recorded before the first of them. */
  async *export(subject: DataSubject): AsyncGenerator<string> {
    await this.audit.record({ action: 'user.export', tenant: subject.tenant, target: nameOf(subject) });
    yield* this.data.export(subject);
  }

  /** Purges what ended longer ago than it is kept. */
  async sweep(days: number, signal?: AbortSignal): Promise<void> {
    const ended = await this.data.endedConnections(days, SWEEP);
    for (const { id, tenant } of ended) {
      if (signal?.aborted) return;
      await this.audit.around({ action: 'connection.purge', tenant, target: `connection:${id}` }, () => this.data.purge(id));
      this.logger.log({ msg: 'The data of a connection that ended long ago is gone', connectionId: id });
    }
    await this.data.purgeLeftOver();
  }

  private async purgeById(id: string): Promise<boolean> {
    const connection = await this.connections.findById(id);
    return connection !== undefined && (await this.purgeOne(toRef(connection))).revoked;
  }
}

function nameOf({ tenant, userId }: DataSubject): string {
  return userId === undefined ? `tenant:${tenant}` : `user:${userId}`;
}
