import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Not, type EntityManager, type Repository } from 'typeorm';
import { DATABASE, changedRows } from '../../../database';
import { CONNECTIONS } from '../../connections';
import { SyncWatchEntity } from './sync-watch.entity';

export type Watch = Readonly<SyncWatchEntity>;

/** How long before its end a resource's watch is renewed. */
export interface RenewalTime {
  readonly provider: string;
  readonly resource: string;
  readonly beforeMs: number;
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

@Injectable()
export class WatchRepository {
  constructor(@InjectRepository(SyncWatchEntity, DATABASE) private readonly watches: Repository<SyncWatchEntity>) {}

  async find(channelId: string): Promise<Watch | undefined> {
    if (!UUID.test(channelId)) return undefined;
    return (await this.watches.findOneBy({ channelId, status: Not('refused') })) ?? undefined;
  }

  /** By the provider's ids, of those of one account. */
  async ofAccount({ provider, routingKey }: { provider: string; routingKey: string }, remoteIds: readonly string[]): Promise<Watch[]> {
    const found = await this.watches.query<{ channelId: string }[]>(
      `SELECT w.channel_id AS "channelId" FROM sync_watches w JOIN ${CONNECTIONS} k ON k.id = w.connection_id
       WHERE k.provider = $1 AND k.routing_key = $2 AND w.remote_id = ANY($3) AND w.status <> 'refused' LIMIT 1000`,
      [provider, routingKey, remoteIds],
    );
    return found.length > 0 ? this.watches.findBy(found) : [];
  }

  ofConnection(connectionId: string): Promise<Watch[]> {
    return this.watches.findBy({ connectionId });
  }

  /** Stored before the provider is asked: its first notification may be here before its answer. */
  async add(watch: Pick<Watch, 'channelId' | 'connectionId' | 'resource' | 'partition' | 'tokenHash'>): Promise<void> {
    await this.watches.insert({ ...watch, status: 'creating' });
  }

  async activate(channelId: string, remote: { remoteId: string; expiresAt: number }): Promise<void> {
    await this.watches.update({ channelId }, { status: 'active', remoteId: remote.remoteId, expiresAt: new Date(remote.expiresAt) });
    await this.removeRefusals(channelId);
  }

  /** Goes on as it is. */
  async extend(channelId: string, expiresAt: number): Promise<void> {
    await this.watches.update({ channelId }, { status: 'active', expiresAt: new Date(expiresAt), leaseUntil: null });
  }

  /** One of this connection. `renew`: at the next look; `ended`: it is forgotten. @returns what it watches */
  async tend(
    manager: EntityManager,
    connectionId: string,
    channelId: string,
    what: 'renew' | 'ended' | 'missed',
    now: Date,
  ): Promise<string | undefined> {
    if (!UUID.test(channelId)) return undefined;
    const watches = manager.getRepository(SyncWatchEntity);
    const found = await watches.findOneBy({ channelId, connectionId, status: 'active' });
    if (found && what === 'renew') await watches.update({ channelId }, { expiresAt: now });
    if (found && what === 'ended') await watches.delete({ channelId });
    return found?.resource;
  }

  async markReplaced(channelId: string): Promise<void> {
    await this.watches.update({ channelId }, { status: 'replaced' });
  }

  /** Not asked again for a day at the least, then for twice as long each time, and for a week at the most. */
  async refuse(channelId: string, now: Date): Promise<void> {
    await this.watches.query(
      `UPDATE sync_watches w SET status = 'refused', created_at = f.since, expires_at = $2::timestamptz + least(interval '7 days', greatest(interval '1 day', $2::timestamptz - f.since))
       FROM (SELECT least(min(o.created_at), $2::timestamptz) AS since FROM sync_watches o JOIN sync_watches m USING (connection_id, resource, partition)
             WHERE m.channel_id = $1 AND (o.status = 'refused' OR o.channel_id = $1)) f WHERE w.channel_id = $1`,
      [channelId, now],
    );
    await this.removeRefusals(channelId);
  }

  /** Earlier refusals of what this watch is about: it is the last word. */
  private async removeRefusals(channelId: string): Promise<void> {
    await this.watches.query(
      `DELETE FROM sync_watches o USING sync_watches m WHERE m.channel_id = $1 AND o.channel_id <> $1 AND o.status = 'refused'
         AND o.connection_id = m.connection_id AND o.resource = m.resource AND o.partition = m.partition`,
      [channelId],
    );
  }

  /** With a new consent all is asked anew. */
  async forgetRefusals(connectionId: string): Promise<void> {
    await this.watches.delete({ connectionId, status: 'refused' });
  }

  async remove(channelId: string): Promise<void> {
    await this.watches.delete({ channelId });
  }

  /** Active ones that end within what their resource says, each for one claimer and `leaseMs`. */
  async claimExpiring(now: Date, within: readonly RenewalTime[], leaseMs: number, limit: number): Promise<Watch[]> {
    const claimed = await changedRows<{ channelId: string }>(
      this.watches.manager,
      `UPDATE sync_watches SET lease_until = now() + $3 * interval '1 millisecond' WHERE channel_id IN (
         SELECT w.channel_id FROM sync_watches w JOIN ${CONNECTIONS} k ON k.id = w.connection_id
           JOIN json_to_recordset($2::json) AS r (provider text, resource text, "beforeMs" float8) ON r.provider = k.provider AND r.resource = w.resource
         WHERE w.status = 'active' AND w.expires_at < $1::timestamptz + $5 * interval '1 millisecond'
           AND w.expires_at < $1::timestamptz + r."beforeMs" * interval '1 millisecond'
           AND (w.lease_until IS NULL OR w.lease_until <= now())
         ORDER BY w.expires_at LIMIT $4 FOR UPDATE OF w SKIP LOCKED)
       RETURNING channel_id AS "channelId"`,
      [now, JSON.stringify(within), leaseMs, limit, Math.max(...within.map(({ beforeMs }) => beforeMs))],
    );
    return claimed.length > 0 ? this.watches.findBy(claimed) : [];
  }

  /** What can bring no notification any more: long ended, or never come to life. */
  async removeDead(now: Date): Promise<void> {
    await this.watches.query(
      `DELETE FROM sync_watches WHERE (status <> 'refused' AND expires_at < $1::timestamptz - interval '1 day') OR (status = 'creating' AND created_at < now() - interval '1 day')`,
      [now],
    );
  }
}
