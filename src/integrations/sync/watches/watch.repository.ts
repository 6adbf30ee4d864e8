import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { change, select } from '../sql';

/**
 * `creating`: the provider is being asked; a first notification may come before its answer. `active`. `replaced`: a newer one is
 * there, this one ends by itself or when it is stopped. `refused`: the provider does not watch this; it is asked again at its end.
 */
export type WatchStatus = 'creating' | 'active' | 'replaced' | 'refused';

export interface Watch {
  readonly channelId: string;
  readonly connectionId: string;
  readonly resource: string;
  readonly partition: string;
  readonly remoteId: string;
  /** SHA-256, hex. */
  readonly tokenHash: string;
  readonly status: WatchStatus;
  readonly expiresAt: Date | null;
}

interface WatchRow {
  channel_id: string;
  connection_id: string;
  resource: string;
  partition: string;
  remote_id: string;
  token_hash: string;
  status: WatchStatus;
  expires_at: Date | null;
}

const COLUMNS = 'channel_id, connection_id, resource, partition, remote_id, token_hash, status, expires_at';
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

@Injectable()
export class WatchRepository {
  constructor(private readonly dataSource: DataSource) {}

  async find(channelId: string): Promise<Watch | undefined> {
    if (!UUID.test(channelId)) return undefined;
    const [row] = await select<WatchRow>(
      this.dataSource,
      `SELECT ${COLUMNS} FROM sync_watches WHERE channel_id = $1 AND status <> 'refused'`,
      [channelId],
    );
    return row && watchOf(row);
  }

  async ofConnection(connectionId: string): Promise<Watch[]> {
    const rows = await select<WatchRow>(this.dataSource, `SELECT ${COLUMNS} FROM sync_watches WHERE connection_id = $1`, [connectionId]);
    return rows.map(watchOf);
  }

  /** Stored before the provider is asked: its first notification may be here before its answer. */
  async add(watch: Pick<Watch, 'channelId' | 'connectionId' | 'resource' | 'partition' | 'tokenHash'>): Promise<void> {
    await this.dataSource.query(
      `INSERT INTO sync_watches (channel_id, connection_id, resource, partition, token_hash, status) VALUES ($1, $2, $3, $4, $5, 'creating')`,
      [watch.channelId, watch.connectionId, watch.resource, watch.partition, watch.tokenHash],
    );
  }

  async activate(channelId: string, remote: { remoteId: string; expiresAt: number }): Promise<void> {
    await change(this.dataSource, `UPDATE sync_watches SET status = 'active', remote_id = $2, expires_at = $3 WHERE channel_id = $1`, [
      channelId,
      remote.remoteId,
      new Date(remote.expiresAt),
    ]);
    await this.removeRefusals(channelId);
  }

  async markReplaced(channelId: string): Promise<void> {
    await change(this.dataSource, `UPDATE sync_watches SET status = 'replaced' WHERE channel_id = $1`, [channelId]);
  }

  /** Not asked again for a day at the least, then for twice as long each time. */
  async refuse(channelId: string, now: Date): Promise<void> {
    await change(
      this.dataSource,
      `UPDATE sync_watches w SET status = 'refused', created_at = f.since, expires_at = $2::timestamptz + greatest(interval '1 day', $2::timestamptz - f.since)
       FROM (SELECT least(min(o.created_at), $2::timestamptz) AS since FROM sync_watches o JOIN sync_watches m USING (connection_id, resource, partition)
             WHERE m.channel_id = $1 AND (o.status = 'refused' OR o.channel_id = $1)) f WHERE w.channel_id = $1`,
      [channelId, now],
    );
    await this.removeRefusals(channelId);
  }

  /** Earlier refusals of what this watch is about: it is the last word. */
  private async removeRefusals(channelId: string): Promise<void> {
    await change(
      this.dataSource,
      `DELETE FROM sync_watches o USING sync_watches m WHERE m.channel_id = $1 AND o.channel_id <> $1 AND o.status = 'refused'
         AND o.connection_id = m.connection_id AND o.resource = m.resource AND o.partition = m.partition`,
      [channelId],
    );
  }

  async remove(channelId: string): Promise<void> {
    await change(this.dataSource, 'DELETE FROM sync_watches WHERE channel_id = $1', [channelId]);
  }

  /** Active ones that end within `withinMs`, each for one claimer and `leaseMs`. */
  async claimExpiring(now: Date, withinMs: number, leaseMs: number, limit: number): Promise<Watch[]> {
    const rows = await change<WatchRow>(
      this.dataSource,
      `UPDATE sync_watches SET lease_until = now() + $3 * interval '1 millisecond' WHERE channel_id IN (
         SELECT channel_id FROM sync_watches WHERE status = 'active' AND expires_at < $1::timestamptz + $2 * interval '1 millisecond'
           AND (lease_until IS NULL OR lease_until < now())
         ORDER BY expires_at LIMIT $4 FOR UPDATE SKIP LOCKED)
       RETURNING ${COLUMNS}`,
      [now, withinMs, leaseMs, limit],
    );
    return rows.map(watchOf);
  }

  /** What can bring no notification any more: long ended, or never come to life. */
  async removeDead(now: Date): Promise<void> {
    await change(
      this.dataSource,
      `DELETE FROM sync_watches WHERE (status <> 'refused' AND expires_at < $1::timestamptz - interval '1 day') OR (status = 'creating' AND created_at < now() - interval '1 day')`,
      [now],
    );
  }
}

function watchOf(row: WatchRow): Watch {
  return {
    channelId: row.channel_id,
    connectionId: row.connection_id,
    resource: row.resource,
    partition: row.partition,
    remoteId: row.remote_id,
    tokenHash: row.token_hash,
    status: row.status,
    expiresAt: row.expires_at,
  };
}
