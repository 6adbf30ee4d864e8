import { Inject, Injectable, Logger } from '@nestjs/common';
import { CLOCK, type Clock } from '../../clock';
import { withDeadline } from '../../deadline';
import { findIntegrationError } from '../../errors';
import { TokenRepository, type StoredToken } from './tokens/token.repository';
import type { ConnectionRef } from '../contract';
import { AuditLog } from '../audit';
import { TenantProviders } from './clients/tenant-providers';
import { ProviderRegistry } from '../providers';
import { ConnectionStatusService } from './connection-status.service';
import { ProviderFetch } from '../outbound';
import { TokenService } from './tokens/token.service';

/** Called while the connection still works: the last chance to tidy up at the provider. */
export type BeforeDisconnect = (connection: ConnectionRef, signal: AbortSignal) => Promise<void>;

/** For all hooks together, and for the call that revokes, ms. */
const HOOKS_TIMEOUT_MS = 5_000;
const REVOKE_TIMEOUT_MS = 10_000;
const FRESH_TOKEN_TIMEOUT_MS = 3_000;

/** Ends a connection: tidies up, destroys the secrets, revokes at the provider. */
@Injectable()
export class DisconnectService {
  private readonly logger = new Logger(DisconnectService.name);
  private readonly hooks = new Set<BeforeDisconnect>();

  constructor(
    private readonly registry: ProviderRegistry,
    private readonly providers: TenantProviders,
    private readonly tokens: TokenRepository,
    private readonly tokenService: TokenService,
    private readonly status: ConnectionStatusService,
    private readonly providerFetch: ProviderFetch,
    @Inject(CLOCK) private readonly clock: Clock,
    private readonly audit: AuditLog,
  ) {}

  /** Registers what has to be stopped first (watches). Best effort, with a few seconds in all. @returns a function that removes it */
  beforeDisconnect(hook: BeforeDisconnect): () => void {
    this.hooks.add(hook);
    return () => void this.hooks.delete(hook);
  }

  /**
   * The secrets are gone when it resolves. Again for a disconnected one: nothing to do, `revoked: false`.
   * @returns whether the provider confirmed that the grant has ended
   */
  disconnect(connection: ConnectionRef): Promise<{ revoked: boolean }> {
    const act = { action: 'connection.disconnect' as const, tenant: connection.tenant, target: `connection:${connection.id}` };
    return this.audit.around(act, () => this.end(connection));
  }

  private async end(connection: ConnectionRef): Promise<{ revoked: boolean }> {
    const held = await this.heldTokens(connection);
    if (held.length > 0) await this.runHooks(connection);
    this.tokenService.abandon(connection.id); // a renewal holds the row that is to be deleted
    // Before the provider is asked: however slow or broken it is, the secrets go now.
    const released = await this.status.markDisconnected(connection.id);
    if (!released) return { revoked: false };
    // While others stand on the grant only what was this connection's alone is ended.
    const ended = released.last ? held : held.filter(({ id }) => released.tokens.includes(id));
    return { revoked: ended.length > 0 && (await this.revoke(connection, ended, released.last)) };
  }

  /** Renewed where they have ended, so that the provider takes them once more. Best effort. */
  private async heldTokens(connection: ConnectionRef): Promise<StoredToken[]> {
    try {
      const tokens = await this.tokens.loadAll(connection);
      await Promise.allSettled(
        tokens.map(({ kind }) =>
          withDeadline(this.clock, FRESH_TOKEN_TIMEOUT_MS, (signal) => this.tokenService.accessToken(connection, { kind, signal })),
        ),
      );
      return await this.tokens.loadAll(connection);
    } catch (error) {
      // A secret that cannot be read must not keep anybody from disconnecting.
      if (findIntegrationError(error)?.code !== 'decryption_failed') throw error;
      return [];
    }
  }

  private async runHooks(connection: ConnectionRef): Promise<void> {
    const all = async (signal: AbortSignal) => {
      const results = await Promise.allSettled([...this.hooks].map((hook) => hook(connection, signal)));
      for (const result of results)
        if (result.status === 'rejected') this.note(connection, 'A step before disconnecting failed', result.reason);
    };
    await withDeadline(this.clock, HOOKS_TIMEOUT_MS, all).catch((error: unknown) =>
      this.note(connection, 'The steps before disconnecting took too long', error),
    );
  }

  private async revoke(connection: ConnectionRef, held: readonly StoredToken[], last: boolean): Promise<boolean> {
    const base = this.registry.find(connection.provider);
    if (!base) return false;
    const tokens = held.map(({ kind, accessToken, refreshToken }) => ({
      kind,
      accessToken,
      ...(refreshToken !== undefined && { refreshToken }),
    }));
    try {
      const provider = await this.providers.of(base, connection);
      const revoke = (last ? provider.auth.revoke : provider.auth.revokeTokens)?.bind(provider.auth);
      if (!revoke) return false;
      return await withDeadline(this.clock, REVOKE_TIMEOUT_MS, (signal) => {
        const options = { connection, signal, deadlineMs: REVOKE_TIMEOUT_MS, operation: 'oauth.revoke' };
        return revoke({
          fetch: this.providerFetch.fetchWithoutToken(provider, { ...options, accessToken: tokens[0]?.accessToken }),
          fetchAsApp: this.providerFetch.fetchWithoutToken(provider, options),
          connection,
          tokens,
        });
      });
    } catch (error) {
      this.note(connection, 'Revoking at the provider failed', error);
      return false;
    }
  }

  private note(connection: ConnectionRef, msg: string, error: unknown): void {
    const known = findIntegrationError(error);
    this.logger.warn({
      msg,
      provider: connection.provider,
      connectionId: connection.id,
      code: known?.code,
      providerCode: known?.providerCode,
    });
  }
}
