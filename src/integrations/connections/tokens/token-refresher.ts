import { Inject, Injectable, Logger } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { CLOCK, type Clock } from '../../../clock';
import { asStorageError, inTransaction, LOCK_POOL, type LockPool, type RowOf } from '../../../database';
import { findIntegrationError, IntegrationError } from '../../../errors';
import { TokenRepository, type StoredToken } from './token.repository';
import type { SqlRunner } from '../../../database';
import type { ConnectionRef, Provider, TokenGrant } from '../../contract';
import { isMintedAnew } from '../../providers';
import { ConnectionStatusService } from '../connection-status.service';
import { tokenRefreshes } from '../connection-metrics';
import { TokenRefreshEntity } from './token-refresh.entity';
import { TokenEndpoint } from './token-endpoint';
import { isDue, usableToken } from './token-use';

export interface RefreshTask {
  readonly provider: Provider;
  readonly connection: ConnectionRef;
  readonly token: StoredToken;
  /** What has to be replaced: a newer version is as good as a refresh of our own. */
  readonly staleVersion: number;
  /** Aborted when the connection ends. */
  readonly signal: AbortSignal;
}

/** The pair that the provider has just given: from here on the old one may be dead. */
interface Obtained {
  readonly grant: TokenGrant;
  readonly version: number;
  readonly at: Date;
}

type Outcome =
  | { readonly token: StoredToken }
  | { readonly refused: IntegrationError; readonly token: StoredToken; readonly interrupted: boolean }
  | 'locked';

const FIRST_POLL_MS = 25;
const MAX_POLL_MS = 250;
/** What a holder of the lock needs beside its call. */
const LOCK_GRACE_MS = 10_000;
/** How often a renewal looks whether its token is still wanted. */
const WATCH_MS = 1_000;
const SAVE_RETRY_MS = [100, 1_000, 5_000];

/**
 * Renews one token, once among all processes. On a server the token's row is locked for the time of the call, which no time-out can
 * outlive; on the embedded database there is but one process, and `TokenService` lets one renewal of a token run at a time.
 */
@Injectable()
export class TokenRefresher {
  private readonly logger = new Logger(TokenRefresher.name);

  constructor(
    private readonly dataSource: DataSource,
    private readonly tokens: TokenRepository,
    private readonly endpoint: TokenEndpoint,
    private readonly status: ConnectionStatusService,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(LOCK_POOL) private readonly lockPool: LockPool | null,
  ) {}

  /** @throws IntegrationError `needs_reauth`, `refresh_interrupted`, `not_connected`; any other is passing */
  async refresh(task: RefreshTask): Promise<StoredToken> {
    const count = (outcome: string) => tokenRefreshes.inc({ provider: task.provider.key, outcome });
    try {
      const { token, by } = await this.refreshed(task);
      count(by);
      return token;
    } catch (error) {
      count(findIntegrationError(error)?.code === 'needs_reauth' ? 'refused' : 'failed');
      throw error;
    }
  }

  private async refreshed(task: RefreshTask): Promise<{ token: StoredToken; by: 'renewed' | 'shared' }> {
    const deadline = this.clock.now() + this.endpoint.timeoutMs(task.provider) + LOCK_GRACE_MS;
    for (let pollMs = FIRST_POLL_MS; ; pollMs = Math.min(pollMs * 2, MAX_POLL_MS)) {
      const outcome = await this.attempt(task);
      if (outcome !== 'locked')
        return 'refused' in outcome ? { token: await this.end(task, outcome), by: 'shared' } : { token: outcome.token, by: 'renewed' };
      // Another process is at it. It is asked for by reading, so that waiting holds no connection and no statement.
      await this.clock.sleep(pollMs, task.signal);
      const current = await this.reread(task);
      if (current.version > task.staleVersion) return { token: current, by: 'shared' };
      if (this.clock.now() >= deadline) throw new IntegrationError('provider_timeout', { provider: task.provider.key });
    }
  }

  private async attempt(task: RefreshTask): Promise<Outcome> {
    const progress: { obtained?: Obtained } = {};
    try {
      if (!this.lockPool) return await this.renew(task, this.dataSource, progress);
      return await this.lockPool.transaction(async (transaction) => {
        // NO KEY UPDATE lets the marker's foreign key through, which is written on another connection
        const [locked] = await transaction.query('SELECT id FROM tokens WHERE id = $1 FOR NO KEY UPDATE SKIP LOCKED', [task.token.id]);
        return locked ? this.renew(task, transaction, progress) : 'locked';
      });
    } catch (error) {
      if (!progress.obtained || !this.lostByStorage(error)) throw error;
      return { token: await this.saveInSpite(task, progress.obtained) };
    }
  }

  /** Checks again, marks, calls, stores. */
  private async renew(task: RefreshTask, runner: SqlRunner, progress: { obtained?: Obtained }): Promise<Outcome> {
    const { provider, connection } = task;
    const token = usableToken(await this.tokens.loadState(connection.id, task.token.kind, runner));
    if (token.version > task.staleVersion && !isDue(token, this.clock.now(), provider.oauth2?.refreshAheadMs)) return { token };
    const { refreshToken } = token;
    if (refreshToken === undefined)
      return { refused: new IntegrationError('needs_reauth', { provider: provider.key }), token, interrupted: false };

    // Where nothing but a new token is made, one that nobody heard of ends none.
    const rotates = !isMintedAnew(provider.oauth2);
    const interrupted = rotates && (await this.mark(token));
    let grants: readonly TokenGrant[];
    try {
      ({ grants } = await this.whileConnected(task, (signal) =>
        this.endpoint.refresh(provider, connection, { kind: token.kind, refreshToken }, signal),
      ));
    } catch (error) {
      const failure = findIntegrationError(error) ?? new IntegrationError('internal_error', { cause: error });
      // Where it is not certain that nothing happened, the mark stays and tells the next try.
      if (rotates && failure.notExecuted && !interrupted) await this.unmark(token);
      if (failure.code === 'needs_reauth') return { refused: failure, token, interrupted };
      throw failure;
    }
    const grant = grants.find(({ kind }) => kind === token.kind);
    if (!grant)
      throw new IntegrationError('provider_bad_answer', {
        provider: provider.key,
        detail: 'The provider renewed another token than the one asked for.',
      });
    progress.obtained = { grant, version: token.version, at: new Date(this.clock.now()) };
    return { token: await this.store(task, progress.obtained, this.lockPool ? runner : undefined) };
  }

  /** Gives up when the last connection that uses the token is ended in another process, which waits for the row that is locked here. */
  private async whileConnected<T>(task: RefreshTask, call: (signal: AbortSignal) => Promise<T>): Promise<T> {
    if (!this.lockPool) return call(task.signal); // one process: its disconnect aborts the signal
    const ended = new AbortController();
    const done = new AbortController();
    const watch = async () => {
      while (!ended.signal.aborted) {
        await this.clock.sleep(WATCH_MS, done.signal);
        if (!(await this.tokens.isWanted(task.token.id))) ended.abort(new IntegrationError('not_connected'));
      }
    };
    watch().catch(() => undefined); // the call was faster, or the database is away: then the call's own deadline holds
    try {
      return await call(AbortSignal.any([task.signal, ended.signal]));
    } finally {
      done.abort();
    }
  }

  private async store(task: RefreshTask, { grant, version, at }: Obtained, runner?: SqlRunner): Promise<StoredToken> {
    const save = (target: SqlRunner) =>
      this.tokens.save(target, task.connection, [grant], { mode: 'refresh', at, tokenId: task.token.id, expectedVersion: version });
    const [saved] = runner ? await save(runner) : await inTransaction(this.dataSource, save);
    // Somebody connected anew meanwhile: theirs is the newer grant.
    return saved ?? usableToken(await this.tokens.loadState(task.connection.id, task.token.kind, runner));
  }

  /** The new pair is in our hands and the old one may be dead: it is not given up for one lost connection to the database. */
  private async saveInSpite(task: RefreshTask, obtained: Obtained): Promise<StoredToken> {
    for (const [index, waitMs] of SAVE_RETRY_MS.entries()) {
      await this.clock.sleep(waitMs);
      try {
        return await this.store(task, obtained);
      } catch (error) {
        if (!this.lostByStorage(error) || index === SAVE_RETRY_MS.length - 1) throw error;
      }
    }
    throw new IntegrationError('storage_unavailable');
  }

  private lostByStorage(error: unknown): boolean {
    return findIntegrationError(asStorageError(error))?.code === 'storage_unavailable';
  }

  /** A refusal counts only if nobody has stored a newer token meanwhile. */
  private async end(
    task: RefreshTask,
    { refused, token, interrupted }: { refused: IntegrationError; token: StoredToken; interrupted: boolean },
  ): Promise<StoredToken> {
    const code = interrupted ? 'refresh_interrupted' : 'needs_reauth';
    const { providerCode } = refused;
    const marked = await this.status.markNeedsReauth(task.connection.id, {
      code,
      providerCode,
      token: { id: token.id, version: token.version },
    });
    if (!marked) {
      const current = await this.reread(task); // throws what the connection has become
      if (current.version > token.version) return current;
    }
    this.logger.warn({
      msg: 'The provider ended the access',
      provider: task.provider.key,
      connectionId: task.connection.id,
      code,
      providerCode,
    });
    throw new IntegrationError(code, {
      provider: task.provider.key,
      providerCode,
      providerStatus: refused.providerStatus,
      notExecuted: true,
      cause: refused,
    });
  }

  private async reread(task: RefreshTask): Promise<StoredToken> {
    return usableToken(await this.tokens.loadState(task.connection.id, task.token.kind));
  }

  /** Commits that a renewal of this version is under way. @returns true where an earlier one of the same version never came to its end */
  private async mark(token: StoredToken): Promise<boolean> {
    const before = await this.dataSource
      .query<Pick<RowOf<TokenRefreshEntity>, 'version'>[]>(
        `WITH before AS (SELECT version FROM token_refreshes WHERE token_id = $1),
           marked AS (INSERT INTO token_refreshes (token_id, version, started_at) SELECT id, $2, $3 FROM tokens WHERE id = $1
             ON CONFLICT (token_id) DO UPDATE SET version = excluded.version, started_at = excluded.started_at)
         SELECT version FROM before`,
        [token.id, token.version, new Date(this.clock.now())],
      )
      .catch((error: unknown) => {
        throw asStorageError(error);
      });
    return before.some(({ version }) => version === token.version);
  }

  private async unmark(token: StoredToken): Promise<void> {
    // Best effort: a mark that stays only makes a later refusal read "interrupted".
    await this.dataSource.manager.delete(TokenRefreshEntity, { tokenId: token.id, version: token.version }).catch(() => undefined);
  }
}
