import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { asService, asTenant, inTransaction, type Scope } from '../../../database';
import { IntegrationError } from '../../../errors';
import { tenantInHand } from '../../../http-api';
import type { Exported, HeldTable } from './held-table';

/** A person of an organization; without a user the whole organization. */
export interface DataSubject {
  readonly tenant: string;
  readonly userId?: string;
}

/** Rows a statement: short enough that nobody waits for its locks. */
const BATCH = 5_000;
const PAGE = 500;
/** Times that something was found and nothing could be destroyed, before the caller is told to ask again. */
const MOST_IN_VAIN = 20;

interface Batch {
  readonly found: number;
  readonly gone: number;
}

/** What is held of a connection and of a person, in whichever table: destroyed and exported as each folder says of its own. */
@Injectable()
export class PersonalData {
  private readonly tables = new Map<string, HeldTable>();

  constructor(private readonly dataSource: DataSource) {}

  register(tables: readonly HeldTable[]): void {
    for (const held of tables) this.tables.set(held.table, held);
  }

  registered(): readonly HeldTable[] {
    return [...this.tables.values()];
  }

  /** Newest first. */
  async connectionsOf({ tenant, userId = null }: { tenant: string; userId?: string | null }): Promise<string[]> {
    const rows = await this.dataSource.query<{ id: string }[]>(
      'SELECT id FROM connections WHERE tenant = $1 AND ($2::text IS NULL OR user_id = $2) ORDER BY id DESC',
      [tenant, userId],
    );
    return rows.map(({ id }) => id);
  }

  /** Ended for so long, the oldest first. */
  async endedConnections(days: number, limit: number): Promise<{ id: string; tenant: string }[]> {
    return this.dataSource.query<{ id: string; tenant: string }[]>(
      `SELECT id, tenant FROM connections WHERE status = 'disconnected' AND disconnected_at < now() - make_interval(days => $1::int)
       ORDER BY disconnected_at LIMIT $2`,
      [days, limit],
    );
  }

  /** Destroys what is held of an ended connection. Its own row goes last, so that a purge that was cut off can be asked for again. */
  purge(connectionId: string): Promise<void> {
    return asService(() => this.purgeAll(connectionId)); // with its secrets, and what came for an account that nobody else is connected to
  }

  private async purgeAll(connectionId: string): Promise<void> {
    for (const { table, connection, kept } of this.tables.values()) {
      const but = kept === undefined ? '' : ` AND NOT (${kept.rows} AND ${kept.while})`;
      if (connection !== undefined) await this.destroy(table, `${connection} = $1${but}`, [connectionId]);
    }
    await this.purgeAccount(connectionId);
    await this.destroy('connections', 'id = $1', [connectionId]);
  }

  /** Destroys what outlived its connection for a time: once after many purges. */
  purgeLeftOver(): Promise<void> {
    return asService(() => this.purgeUnused()); // whoever it is that still uses it
  }

  private async purgeUnused(): Promise<void> {
    for (const { table, connection, kept } of this.tables.values()) {
      const isGone = `NOT EXISTS (SELECT 1 FROM connections c WHERE c.id = ${table}.${connection})`;
      if (kept) await this.destroy(table, `${kept.rows} AND ${isGone} AND NOT (${kept.while})`, []);
    }
  }

  /** Destroys what is held beside connections. */
  async erase({ tenant, userId }: DataSubject): Promise<void> {
    for (const held of this.tables.values()) {
      if (
        held.tenant === undefined ||
        held.goesWith !== undefined ||
        held.stays !== undefined ||
        (userId !== undefined && held.user === undefined)
      )
        continue;
      const condition = `${held.tenant} = $1${userId === undefined ? '' : ` AND ${held.user} = $2`}`;
      await this.destroy(held.table, condition, userId === undefined ? [tenant] : [tenant, userId]);
    }
  }

  /** A line of JSON for each row that is held. */
  async *export(subject: DataSubject): AsyncGenerator<string> {
    const scope = asTenant(this.dataSource, tenantInHand()); // a stream goes on when the request's own context is over
    const connections = await this.connectionsOf(subject);
    for (const { table, connection, tenant, user, exported } of this.tables.values()) {
      if (!exported) continue;
      if (connection !== undefined) {
        for (const id of connections) yield* this.lines(scope, table, exported, `${connection} = $1`, [id]);
      } else if (tenant !== undefined && (subject.userId === undefined || user !== undefined)) {
        const own = subject.userId === undefined ? '' : ` AND ${user} = $2`;
        yield* this.lines(scope, table, exported, `${tenant} = $1${own}`, [subject.tenant, ...(own ? [subject.userId] : [])]);
      }
    }
  }

  /** What came for the account, and for no connection of it: kept while anybody else is connected to the account. */
  private async purgeAccount(connectionId: string): Promise<void> {
    const [alone] = await this.dataSource.query<{ provider: string; routing_key: string }[]>(
      `SELECT provider, routing_key FROM connections c WHERE id = $1 AND NOT EXISTS (
         SELECT 1 FROM connections o WHERE o.provider = c.provider AND o.routing_key = c.routing_key AND o.status <> 'disconnected')`,
      [connectionId],
    );
    if (!alone) return;
    for (const { table, connection, account } of this.tables.values()) {
      if (!account) continue;
      const condition = `${connection} IS NULL AND ${account.provider} = $1 AND ${account.routingKey} = $2`;
      await this.destroy(table, condition, [alone.provider, alone.routing_key]);
    }
  }

  /** Until nothing is found: a row that somebody changes at that very moment is passed over, and found again. */
  private async destroy(table: string, condition: string, params: readonly unknown[]): Promise<void> {
    const pointedAt = this.registered().find(({ pointedAtBy }) => pointedAtBy?.table === table);
    for (let inVain = 0; inVain < MOST_IN_VAIN;) {
      const batch = await (pointedAt ? this.destroyBoth(table, pointedAt, condition, params) : this.destroySome(table, condition, params));
      if (!batch || batch.found === 0) return;
      inVain = batch.gone === 0 ? inVain + 1 : 0;
    }
    throw new IntegrationError('storage_unavailable');
  }

  private async destroySome(table: string, condition: string, params: readonly unknown[]): Promise<Batch | undefined> {
    // the places of two partitions of a table may be the same
    const [batch] = await this.dataSource.query<Batch[]>(
      `WITH found AS MATERIALIZED (SELECT tableoid AS part, ctid AS place FROM ${table} WHERE ${condition} LIMIT ${BATCH}),
         gone AS (DELETE FROM ${table} WHERE ctid = ANY(ARRAY(SELECT place FROM found)) AND (tableoid, ctid) IN (SELECT part, place FROM found) RETURNING 1)
       SELECT (SELECT count(*) FROM found)::int AS found, (SELECT count(*) FROM gone)::int AS gone`,
      [...params],
    );
    return batch;
  }

  /**
   * With what they alone point at. Found as whoever asks, so that nobody's rows but their own are; destroyed in one transaction as service,
   * since what is pointed at may be others' as well, and is read by no caller. That is locked first, and looked at afterwards with a
   * statement that sees what was committed until then: of two who end the last two, one ends it.
   */
  private async destroyBoth(table: string, pointedAt: HeldTable, condition: string, params: readonly unknown[]): Promise<Batch> {
    const { table: shared, pointedAtBy: { column, points } = { column: '', points: '' } } = pointedAt;
    const rows = await this.dataSource.query<{ id: string; shared: string | null }[]>(
      `SELECT id, ${column} AS shared FROM ${table} WHERE ${condition} LIMIT ${BATCH}`,
      [...params],
    );
    if (rows.length === 0) return { found: 0, gone: 0 };
    const ids = [...new Set(rows.flatMap((row) => row.shared ?? []))];
    const gone = await asService(() =>
      inTransaction(this.dataSource, async (manager) => {
        await manager.query(`SELECT 1 FROM ${shared} WHERE id = ANY($1::uuid[]) ORDER BY id FOR UPDATE`, [ids]);
        const [, count] = (await manager.query(`DELETE FROM ${table} WHERE id = ANY($1::uuid[])`, [rows.map(({ id }) => id)])) as [
          unknown,
          number,
        ];
        await manager.query(`DELETE FROM ${shared} WHERE id = ANY($1::uuid[]) AND NOT EXISTS (SELECT 1 FROM ${table} o WHERE ${points})`, [
          ids,
        ]);
        return count;
      }),
    );
    return { found: rows.length, gone };
  }

  private async *lines(
    scope: Scope,
    table: string,
    { kind, columns, key }: Exported,
    condition: string,
    params: readonly unknown[],
  ): AsyncGenerator<string> {
    for (let after: string | undefined; ;) {
      const from = after === undefined ? '' : ` AND ${key} > $${params.length + 1}`;
      const page = await scope.query<{ key: string; row: object }>(
        `SELECT ${key}::text AS key, to_jsonb((SELECT r FROM (SELECT ${columns}) r)) AS row FROM ${table}
         WHERE ${condition}${from} ORDER BY ${table}.${key} LIMIT ${PAGE}`,
        [...params, ...(after === undefined ? [] : [after])],
      );
      if (page.length > 0) yield page.map(({ row }) => `${JSON.stringify({ kind, ...row })}\n`).join('');
      after = page.at(-1)?.key;
      if (page.length < PAGE) return;
    }
  }
}
