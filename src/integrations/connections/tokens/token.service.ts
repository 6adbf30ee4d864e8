import { Inject, Injectable, type BeforeApplicationShutdown, type OnModuleDestroy } from '@nestjs/common';
import { backOffMs } from '../../../back-off';
import { CLOCK, type Clock, type StopSignal } from '../../../clock';
import { asService, LOCK_POOL, type LockPool } from '../../../database';
import { abortError, unlessAborted } from '../../../deadline';
import { findIntegrationError, IntegrationError, type ErrorCode } from '../../../errors';
import { Slots } from '../../../slots';
import { IntegrationEvents, type IntegrationEvent } from '../../integration-events';
import { TokenRepository, type StoredToken } from './token.repository';
import { UnreadableSecret } from './secret-box';
import type { ConnectionRef, Provider } from '../../contract';
import { ProviderRegistry } from '../../providers';
import { ConnectionStatusService } from '../connection-status.service';
import { SharedTokens } from './shared-tokens';
import { TokenCache } from './token-cache';
import { TokenRefresher } from './token-refresher';
import { isDue, isExpired, usableToken } from './token-use';

export interface AccessTokenOptions {
  /** Which of the connection's tokens; the first where absent. */
  readonly kind?: string;
  /** Ends this caller's wait; the renewal itself goes on for the others. */
  readonly signal?: StopSignal;
  /** The version that the provider has just refused with 401. */
  readonly rejected?: { readonly version: number };
}

export interface AccessToken {
  /** With the version: what `markNeedsReauth` takes, so that a late refusal does not end a newer grant. */
  readonly tokenId: string;
  readonly accessToken: string;
  readonly version: number;
  readonly kind: string;
}

interface Flight {
  readonly promise: Promise<StoredToken>;
  readonly connectionId: string;
  readonly token: StoredToken;
  readonly abort: AbortController;
}

interface Failure {
  readonly error: IntegrationError;
  readonly until: number;
  readonly count: number;
}

/** Renewals at once per provider: each holds one of the few connections of the lock pool, and a hanging provider may not hold them all. */
const SERVER_SLOTS = 2;
const EMBEDDED_SLOTS = 16;
const MAX_WAITING = 1_000;
const MAX_WAIT_MS = 30_000;
/** Who holds a token that is still good waits no longer than this for a better one. */
const PATIENCE_MS = 2_000;
/** After a passing failure the next try is made no sooner; doubles up to the maximum. */
const FIRST_PAUSE_MS = 1_000;
const MAX_PAUSE_MS = 30_000;
/** Where trying again mends nothing by itself: somebody else has to act first. */
const MAX_REFUSED_PAUSE_MS = 15 * 60_000;
const WAIT_FOR_SOMEBODY: ReadonlySet<ErrorCode> = new Set(['provider_misconfigured', 'organization_forbids', 'refresh_refused']);
const DRAIN_MS = 15_000;

/** Valid access tokens, on demand. */
@Injectable()
export class TokenService implements OnModuleDestroy, BeforeApplicationShutdown {
  private readonly cache: TokenCache;
  private readonly flights = new Map<string, Flight>();
  private readonly failures = new Map<string, Failure>();
  private readonly slots = new Map<string, Slots>();
  private readonly unsubscribe: () => void;

  constructor(
    private readonly registry: ProviderRegistry,
    private readonly tokens: TokenRepository,
    private readonly refresher: TokenRefresher,
    private readonly status: ConnectionStatusService,
    events: IntegrationEvents,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(LOCK_POOL) private readonly lockPool: LockPool | null,
    private readonly sharedTokens: SharedTokens,
  ) {
    this.cache = new TokenCache(clock);
    this.unsubscribe = events.on('*', (event) => this.onEvent(event));
  }

  /**
   * A token that is good now: from memory where it was read in the last seconds, renewed where it ends soon or was `rejected`, once for
   * all who ask in all processes.
   * @throws IntegrationError `needs_reauth`, `refresh_interrupted`, `not_connected`, `missing_scope`; or a passing one where the held token
   * has ended and the provider cannot renew it now
   */
  async accessToken(connection: ConnectionRef, options: AccessTokenOptions = {}): Promise<AccessToken> {
    const { kind, signal, rejected } = options;
    if (signal?.aborted) throw abortError(signal);
    const provider = this.registry.get(connection.provider);
    const cached = rejected ? undefined : this.cache.get(connection.id, kind);
    let held = cached ?? (await unlessAborted(this.read(connection.id, kind), signal));
    if (this.sharedTokens.isToMove(provider, connection, held)) {
      await unlessAborted(this.sharedTokens.moveFor(provider, connection), signal);
      this.cache.invalidate(connection.id);
      held = await unlessAborted(this.read(connection.id, kind), signal);
    }
    // Two rounds: a renewal that was under way when we came may have been for an older token than the rejected one.
    for (let round = 0; round < 2 && this.mustRenew(provider, held, rejected); round++) {
      held = await this.renewed(provider, connection, held, options);
    }
    return given(held);
  }

  /** The token in memory where it can be used as it is: neither a read nor a renewal has to be waited for. */
  heldToken(connection: ConnectionRef, kind?: string): AccessToken | undefined {
    const held = this.cache.get(connection.id, kind);
    return held && !this.mustRenew(this.registry.get(connection.provider), held, undefined) ? given(held) : undefined;
  }

  /** Forgets what is held in memory; the next call reads anew. */
  invalidate(connectionId: string): void {
    this.cache.invalidate(connectionId);
  }

  /** Stops a renewal that is under way in this process: its connection is about to end. One that others wait for goes on. */
  abandon(connectionId: string): void {
    this.cache.invalidate(connectionId);
    for (const { token, abort, ...flight } of this.flights.values()) {
      const stop = () => abort.abort(new IntegrationError('not_connected'));
      if (!token.shared && flight.connectionId === connectionId) stop();
      if (token.shared)
        void this.tokens.isWanted(token.id).then(
          (wanted) => void (wanted || stop()),
          () => undefined,
        );
    }
  }

  onModuleDestroy(): void {
    this.unsubscribe();
  }

  /** A renewal that was sent is waited for: its answer may hold the only good token. */
  async beforeApplicationShutdown(): Promise<void> {
    const stop = new AbortController();
    const flights = Promise.allSettled([...this.flights.values()].map(({ promise }) => promise));
    await Promise.race([flights, this.clock.sleep(DRAIN_MS, stop.signal).catch(() => undefined)]);
    stop.abort();
  }

  private read(connectionId: string, kind: string | undefined): Promise<StoredToken> {
    return this.cache.read(connectionId, kind, async () => {
      try {
        return usableToken(await this.tokens.loadState(connectionId, kind));
      } catch (error) {
        // A key that is missing is an administrator's matter; a secret that was tampered with is not used again, and is seen.
        const cause = findIntegrationError(error)?.cause;
        if (cause instanceof UnreadableSecret && cause.reason === 'altered')
          await this.status.markNeedsReauth(connectionId, { code: 'decryption_failed' });
        throw error;
      }
    });
  }

  private mustRenew(provider: Provider, token: StoredToken, rejected: AccessTokenOptions['rejected']): boolean {
    if (rejected && token.version <= rejected.version) return true;
    return (
      isDue(token, this.clock.now(), provider.oauth2?.refreshAheadMs) &&
      (token.refreshToken !== undefined || isExpired(token, this.clock.now()))
    );
  }

  private async renewed(
    provider: Provider,
    connection: ConnectionRef,
    held: StoredToken,
    options: AccessTokenOptions,
  ): Promise<StoredToken> {
    const { rejected, signal } = options;
    const stillGood = !isExpired(held, this.clock.now()) && !(rejected && held.version <= rejected.version);
    const failure = this.failures.get(held.id);
    try {
      if (failure && this.clock.now() < failure.until && !this.flights.has(held.id)) throw failure.error;
      const flight = this.flightFor(provider, connection, held, Math.max(held.version, rejected?.version ?? 0));
      const fresh = stillGood ? await this.patiently(flight.promise, held, signal) : await unlessAborted(flight.promise, signal);
      if (fresh !== held) this.cache.put(connection.id, options.kind, fresh);
      return fresh;
    } catch (error) {
      // A passing trouble at the token endpoint is no reason to stop while the token is good.
      if (stillGood && !endsAccess(error) && !signal?.aborted) return held;
      throw error;
    }
  }

  private async patiently(flight: Promise<StoredToken>, held: StoredToken, signal?: StopSignal): Promise<StoredToken> {
    const stop = new AbortController();
    const patience = this.clock.sleep(PATIENCE_MS, stop.signal).then(() => held);
    patience.catch(() => undefined);
    try {
      return await unlessAborted(Promise.race([flight, patience]), signal);
    } finally {
      stop.abort();
    }
  }

  private flightFor(provider: Provider, connection: ConnectionRef, token: StoredToken, staleVersion: number): Flight {
    const running = this.flights.get(token.id);
    if (running?.connectionId === connection.id) return running;
    // A shared token, renewed for another connection: should that one end meanwhile, we renew for ourselves.
    if (running)
      return { ...running, promise: running.promise.catch((error) => this.afterOther(error, provider, connection, token, staleVersion)) };
    const abort = new AbortController();
    // for all who wait for it, and all who share the token
    const fly = () => this.fly(provider, connection, token, staleVersion, abort.signal);
    const promise = asService(fly).finally(() => this.flights.delete(token.id));
    promise.catch(() => undefined); // every waiter may have left
    const flight = { promise, connectionId: connection.id, token, abort };
    this.flights.set(token.id, flight);
    return flight;
  }

  private afterOther(
    error: unknown,
    provider: Provider,
    connection: ConnectionRef,
    token: StoredToken,
    staleVersion: number,
  ): Promise<StoredToken> {
    if (findIntegrationError(error)?.code !== 'not_connected') throw error;
    return this.flightFor(provider, connection, token, staleVersion).promise;
  }

  private async fly(
    provider: Provider,
    connection: ConnectionRef,
    token: StoredToken,
    staleVersion: number,
    signal: AbortSignal,
  ): Promise<StoredToken> {
    try {
      if (token.refreshToken === undefined) return await this.endWithoutRefresh(provider, connection, token);
      const queuedAt = this.clock.now();
      const slots = this.slotsOf(provider.key);
      if (slots.waiting >= MAX_WAITING) throw new IntegrationError('busy', { provider: provider.key });
      const fresh = await slots.run(async () => {
        if (this.clock.now() - queuedAt > MAX_WAIT_MS) throw new IntegrationError('busy', { provider: provider.key });
        return this.refresher.refresh({ provider, connection, token, staleVersion, signal });
      });
      this.failures.delete(token.id);
      this.cache.invalidate(connection.id);
      return fresh;
    } catch (error) {
      if (endsAccess(error)) this.cache.invalidate(connection.id);
      else this.remember(token.id, error);
      throw error;
    }
  }

  /** A token that ended and cannot be renewed: a key that was withdrawn, a grant without offline access. */
  private async endWithoutRefresh(provider: Provider, connection: ConnectionRef, token: StoredToken): Promise<StoredToken> {
    const current = usableToken(await this.tokens.loadState(connection.id, token.kind));
    if (current.version > token.version) return current;
    await this.status.markNeedsReauth(connection.id, { code: 'needs_reauth', token: { id: token.id, version: token.version } });
    throw new IntegrationError('needs_reauth', { provider: provider.key, notExecuted: true });
  }

  /** All who come in the next moments share this failure instead of asking the provider again. */
  private remember(tokenId: string, error: unknown): void {
    const known = findIntegrationError(error) ?? new IntegrationError('internal_error', { cause: error });
    const count = (this.failures.get(tokenId)?.count ?? 0) + 1;
    const longest = WAIT_FOR_SOMEBODY.has(known.code) ? MAX_REFUSED_PAUSE_MS : MAX_PAUSE_MS;
    const pauseMs = backOffMs(count, { firstMs: FIRST_PAUSE_MS, maxMs: longest, jitter: 0 });
    this.failures.set(tokenId, { error: known, count, until: this.clock.now() + pauseMs });
    if (this.failures.size > MAX_WAITING * 10) this.failures.clear();
  }

  private slotsOf(provider: string): Slots {
    const slots = this.slots.get(provider) ?? new Slots(this.lockPool ? SERVER_SLOTS : EMBEDDED_SLOTS);
    this.slots.set(provider, slots);
    return slots;
  }

  private onEvent(event: IntegrationEvent): void {
    if (!event.type.startsWith('connection.')) return;
    if (event.type === 'connection.disconnected') this.abandon(event.connectionId);
    else this.cache.invalidate(event.connectionId);
    if (event.type === 'connection.connected') this.cache.invalidateShared();
  }
}

function given({ id, accessToken, version, kind }: StoredToken): AccessToken {
  return { tokenId: id, accessToken, version, kind };
}

function endsAccess(error: unknown): boolean {
  const code = findIntegrationError(error)?.code;
  return code === 'needs_reauth' || code === 'refresh_interrupted' || code === 'not_connected' || code === 'missing_scope';
}
