import { Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { inTransaction } from '../../../database';
import { findIntegrationError } from '../../../errors';
import type { Provider } from '../../contract';
import { ProviderRegistry } from '../../providers';
import { connectionOf, type ConnectionRow } from '../connection';
import { lockGrantOf } from '../grants';
import { TokenRepository, type StoredToken } from './token.repository';

/**
 * Moves what several connections of one installation were each given, before grants were known, into the grant: the newest token that works
 * stands for all. Done at the start, once; then there is nothing to move.
 */
@Injectable()
export class SharedTokens implements OnApplicationBootstrap {
  private readonly logger = new Logger('connections');

  constructor(
    private readonly dataSource: DataSource,
    private readonly registry: ProviderRegistry,
    private readonly tokens: TokenRepository,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    for (const provider of this.registry.all()) if (provider.auth.slotOf) await this.move(provider);
  }

  /** @returns how many connections share their tokens from now on */
  async move(provider: Provider): Promise<number> {
    // The newest of those that work comes last, and stays.
    const waiting: { id: string }[] = await this.dataSource.query(
      `SELECT c.id FROM connections c JOIN tokens t ON t.connection_id = c.id WHERE c.provider = $1 AND c.grant_id IS NOT NULL
       GROUP BY c.id ORDER BY c.status = 'connected', max(t.obtained_at), c.id`,
      [provider.key],
    );
    let moved = 0;
    for (const { id } of waiting) if (await this.moveOne(provider, id)) moved++;
    if (moved > 0) this.logger.log(`${moved} connections to ${provider.name} share the tokens of their grant from now on.`);
    return moved;
  }

  private async moveOne(provider: Provider, id: string): Promise<boolean> {
    try {
      return await inTransaction(this.dataSource, async (manager) => {
        await lockGrantOf(manager, id); // another process may be at the same
        const [row] = await manager.query<ConnectionRow[]>('SELECT * FROM connections WHERE id = $1 FOR NO KEY UPDATE', [id]);
        if (!row) return false;
        const connection = connectionOf(row);
        const slotOf = (kind: string) => provider.auth.slotOf?.(kind, connection.metadata);
        const held = await this.tokens.loadAll(connection, manager);
        const [first] = held;
        if (!first || !held.some(({ kind, shared }) => !shared && slotOf(kind) !== undefined)) return false;
        await this.tokens.save(manager, connection, held.map(grantOf), { mode: 'replace', at: first.obtainedAt, slotOf });
        return true;
      });
    } catch (error) {
      // A secret that cannot be read stays where it is, and is seen when it is used; so does what was altered.
      const code = findIntegrationError(error)?.code;
      if (code !== 'decryption_failed' && code !== 'connection_altered') throw error;
      return false;
    }
  }
}

function grantOf({ kind, accessToken, refreshToken, expiresAt, obtainedAt, scopes }: StoredToken) {
  return {
    kind,
    accessToken,
    refreshToken,
    scopes,
    ...(expiresAt && { expiresInS: (expiresAt.getTime() - obtainedAt.getTime()) / 1_000 }),
  };
}
