import { Injectable, Logger, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { asService, inTransaction, type SqlRunner } from '../../../database';
import { findIntegrationError } from '../../../errors';
import type { ConnectionRef, Provider } from '../../contract';
import { ProviderRegistry } from '../../providers';
import { connectionOf, type Connection, type ConnectionRow } from '../connection';
import { TokenRepository, type SlotMove, type StoredToken } from './token.repository';

/** A connection of the grant, with its tokens. */
interface Member {
  readonly connection: Connection;
  readonly held: readonly StoredToken[];
}

/**
 * Moves what several connections of one installation were each given, before grants were known, into the grant: the newest token that works
 * stands for all. Begins at the start, beside the service; a connection that needs its token before its turn has come has its grant moved
 * first, so that a token which is to be shared is renewed for all or not at all.
 */
@Injectable()
export class SharedTokens implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger('connections');
  private readonly stopping = new AbortController();
  private moving: Promise<void> = Promise.resolve();

  constructor(
    private readonly dataSource: DataSource,
    private readonly registry: ProviderRegistry,
    private readonly tokens: TokenRepository,
  ) {}

  onApplicationBootstrap(): void {
    this.moving = asService(() => this.moveAll()).catch((error: unknown) => {
      const code = findIntegrationError(error)?.code;
      if (!this.stopping.signal.aborted) this.logger.warn({ msg: 'Shared tokens could not all be moved; the next start goes on.', code });
    });
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.stopping.abort(new Error('the process is stopping'));
    await this.moving;
  }

  /** Whether this token, as it was read, lies where only its connection has it, and belongs to all of the grant. */
  isToMove(provider: Provider, { metadata }: ConnectionRef, { kind, shared }: Pick<StoredToken, 'kind' | 'shared'>): boolean {
    return !shared && provider.auth.slotOf?.(kind, metadata) !== undefined;
  }

  /** Moves what the connection's grant has. Somebody else may be at it: then it is waited for. */
  async moveFor(provider: Provider, { id }: Pick<ConnectionRef, 'id'>): Promise<void> {
    const rows = await asService(() =>
      this.dataSource.query<{ grant_id: string | null }[]>('SELECT c.grant_id FROM connections c WHERE c.id = $1', [id]),
    );
    if (rows[0]?.grant_id != null) await this.moveGrant(provider, rows[0].grant_id);
  }

  /** @returns how many connections share their tokens from now on */
  async move(provider: Provider): Promise<number> {
    const waiting: { id: string }[] = await this.dataSource.query(
      `SELECT DISTINCT g.id FROM grants g JOIN connections c ON c.grant_id = g.id JOIN tokens t ON t.connection_id = c.id
       WHERE c.provider = $1 ORDER BY g.id`,
      [provider.key],
    );
    let moved = 0;
    for (const { id } of waiting) {
      this.stopping.signal.throwIfAborted();
      moved += await this.moveGrant(provider, id);
    }
    if (moved > 0) this.logger.log(`${moved} connections to ${provider.name} share the tokens of their grant from now on.`);
    return moved;
  }

  private async moveAll(): Promise<void> {
    for (const provider of this.registry.all()) if (provider.auth.slotOf) await this.move(provider);
  }

  private moveGrant(provider: Provider, grantId: string): Promise<number> {
    const move = async (manager: SqlRunner) => {
      // Who connects and disconnects waits, and so does another process at the same; a renewal of the version before is waited for.
      await manager.query('SELECT g.id FROM grants g WHERE g.id = $1 FOR NO KEY UPDATE', [grantId]);
      const rows = await manager.query<ConnectionRow>('SELECT * FROM connections WHERE grant_id = $1 ORDER BY id FOR NO KEY UPDATE', [
        grantId,
      ]);
      await this.tokens.lockOwn(
        manager,
        rows.map(({ id }) => id),
      );
      const members = await this.membersOf(manager, rows);
      const moves = movesOf(provider, members);
      if (moves.length > 0) await this.tokens.moveToSlots(manager, moves, newestOf(provider, members));
      return moves.length;
    };
    return asService(() => inTransaction(this.dataSource, move));
  }

  private async membersOf(manager: SqlRunner, rows: readonly ConnectionRow[]): Promise<Member[]> {
    const members: Member[] = [];
    for (const row of rows) {
      try {
        members.push({ connection: connectionOf(row), held: await this.tokens.loadAll(row, manager) });
      } catch (error) {
        // A secret that cannot be read stays where it is, and is seen when it is used; so does what was altered.
        const code = findIntegrationError(error)?.code;
        if (code !== 'decryption_failed' && code !== 'connection_altered') throw error;
      }
    }
    return members;
  }
}

/** Of each member the tokens of its own that belong in slots. */
function movesOf(provider: Provider, members: readonly Member[]): SlotMove[] {
  return members.flatMap(({ connection, held }) => {
    const slotOf = (kind: string) => provider.auth.slotOf?.(kind, connection.metadata) ?? [];
    const own = held.filter(({ kind, shared }) => !shared && slotOf(kind).length > 0);
    return own.length > 0
      ? [{ connectionId: connection.id, tokens: own.map(({ id }) => id), slots: held.flatMap(({ kind }) => slotOf(kind)) }]
      : [];
  });
}

/** For each slot the newest token of a connection that works, or what is there already. */
function newestOf(provider: Provider, members: readonly Member[]) {
  const newest = new Map<string, { slot: string; member: Connection; token: StoredToken; works: boolean }>();
  for (const { connection: member, held } of members) {
    for (const token of held) {
      const slot = provider.auth.slotOf?.(token.kind, member.metadata);
      if (slot === undefined) continue;
      const works = token.shared || member.status === 'connected';
      const best = newest.get(slot);
      if (!best || Number(works) - Number(best.works) > 0 || (works === best.works && token.obtainedAt >= best.token.obtainedAt))
        newest.set(slot, { slot, member, token, works });
    }
  }
  return [...newest.values()].filter(({ token }) => !token.shared);
}
