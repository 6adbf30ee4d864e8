import { Inject, Injectable, Logger } from '@nestjs/common';
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import type { EntityManager } from 'typeorm';
import { CLOCK, type Clock } from '../../../clock';
import { SETTINGS } from '../../../config/config.module';
import type { Settings } from '../../../config/env';
import { findIntegrationError } from '../../../errors';
import { GovernedHttp, ConnectionRepository, TenantProviders, toRef } from '../../connections';
import type { ConnectionRef, KnownWatches, SyncContext, WatchFacts } from '../../contract';
import { ProviderRegistry } from '../../providers';
import { accessEnded, isPartial, syncError } from '../runs/run-policy';
import { WatchRepository, type Watch } from './watch.repository';

/** Renewing one watch takes two calls. */
const RENEW_LEASE_MS = 120_000;
const RENEW_BATCH = 50;

/** Asks providers to tell of changes, and goes on asking before the asking ends. Best effort: the schedule finds what no notification told. */
@Injectable()
export class WatchService implements KnownWatches {
  private readonly logger = new Logger(WatchService.name);

  constructor(
    private readonly watches: WatchRepository,
    private readonly connections: ConnectionRepository,
    private readonly registry: ProviderRegistry,
    @Inject(TenantProviders) private readonly providers: Pick<TenantProviders, 'deliveryPath'>,
    @Inject(GovernedHttp) private readonly http: Pick<GovernedHttp, 'fetchFor'>,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(SETTINGS) private readonly settings: Pick<Settings, 'publicUrl'>,
  ) {}

  /** The watch of a channel, for verifying its notifications; also one that is being made or was replaced a moment ago. */
  find(channelId: string): Promise<Watch | undefined> {
    return this.watches.find(channelId);
  }

  ofAccount(account: { provider: string; routingKey: string }, remoteIds: readonly string[]): Promise<readonly Watch[]> {
    return this.watches.ofAccount(account, remoteIds);
  }

  /** What the provider says of a watch of this connection, in the transaction of its event. @returns what it watches, where there is such a watch */
  tend(manager: EntityManager, connectionId: string, channelId: string, what: 'renew' | 'ended' | 'missed'): Promise<string | undefined> {
    return this.watches.tend(manager, connectionId, channelId, what, new Date(this.clock.now()));
  }

  /** One living watch for every partition that can be read and watched, and none for one that is gone. Each succeeds and fails by itself. */
  async ensure(
    connection: ConnectionRef,
    { listed, readable }: { listed: ReadonlyMap<string, readonly string[]>; readable: ReadonlyMap<string, readonly string[]> },
    signal: AbortSignal,
  ): Promise<void> {
    const resources = (this.registry.get(connection.provider).sync?.resources ?? []).filter(({ name, watch }) => watch && listed.has(name));
    if (resources.length === 0 || !this.settings.publicUrl) return;
    try {
      const existing = await this.watches.ofConnection(connection.id);
      for (const { name, watch } of resources) {
        const known = listed.get(name) ?? [];
        for (const old of existing.filter((one) => one.resource === name && !known.includes(one.partition)))
          await this.stop(connection, old, signal);
        for (const partition of readable.get(name) ?? []) {
          if (existing.some((one) => one.resource === name && one.partition === partition && this.lives(one, watch as WatchFacts)))
            continue;
          await this.attempt(connection, name, partition, watch as WatchFacts, signal);
        }
      }
    } catch (error) {
      this.report('A watch could not be made; the schedule goes on without it.', connection, error);
    }
  }

  /** Renews the watches that end soon, or replaces them: the new one first, then the old one is stopped, so that nothing is missed in between. */
  async renewExpiring(signal: AbortSignal): Promise<number> {
    const within = this.registry
      .all()
      .flatMap(({ key, sync }) =>
        (sync?.resources ?? []).flatMap(({ name, watch }) =>
          watch ? [{ provider: key, resource: name, beforeMs: watch.renewBeforeMs }] : [],
        ),
      );
    if (within.length === 0) return 0;
    const now = new Date(this.clock.now());
    await this.watches.removeDead(now);
    const expiring = await this.watches.claimExpiring(now, within, RENEW_LEASE_MS, RENEW_BATCH);
    for (const old of expiring) {
      if (signal.aborted) break;
      await this.renew(old, signal);
    }
    return expiring.length;
  }

  /** With a new consent: what would not be watched is asked for again. */
  async forgetRefusals(connectionId: string): Promise<void> {
    await this.watches.forgetRefusals(connectionId);
  }

  /** Before the tokens are destroyed. */
  async stopAll(connection: ConnectionRef, signal: AbortSignal): Promise<void> {
    for (const watch of await this.watches.ofConnection(connection.id)) await this.stop(connection, watch, signal);
  }

  private async renew(old: Watch, signal: AbortSignal): Promise<void> {
    const connection = await this.connections.findById(old.connectionId);
    const watch = connection && this.watchFactsOf(connection.provider, old.resource);
    if (!connection || !watch || connection.status === 'disconnected') return this.watches.remove(old.channelId);
    if (connection.status !== 'connected' || this.lives(old, watch)) return;
    const ref = toRef(connection);
    try {
      if (await this.goesOn(ref, old, watch, signal)) return;
      await this.create(ref, old.resource, old.partition, watch, signal);
      await this.watches.markReplaced(old.channelId);
      await this.stop(ref, old, signal);
    } catch (error) {
      this.report('A watch could not be renewed; it is tried again.', ref, error);
    }
  }

  /** Whether the provider renewed it; one that it does not know any more is made anew. */
  private async goesOn(connection: ConnectionRef, { channelId, remoteId, partition }: Watch, watch: WatchFacts, signal: AbortSignal) {
    if (!watch.renew) return false;
    try {
      const { expiresAt } = await watch.renew({ ...this.context(connection, partition, signal), channelId, remoteId });
      await this.watches.extend(channelId, expiresAt);
      return true;
    } catch (error) {
      if (findIntegrationError(error)?.code === 'provider_not_found') return false;
      throw error;
    }
  }

  /** What the provider will not watch is remembered and not asked at each run; an ended access, or an abort, ends it for all. */
  private async attempt(
    connection: ConnectionRef,
    resource: string,
    partition: string,
    watch: WatchFacts,
    signal: AbortSignal,
  ): Promise<void> {
    try {
      await this.create(connection, resource, partition, watch, signal);
    } catch (error) {
      if (signal.aborted || accessEnded(syncError(error))) throw error;
      this.report('A watch could not be made; the schedule goes on without it.', connection, error);
    }
  }

  private async create(
    connection: ConnectionRef,
    resource: string,
    partition: string,
    watch: WatchFacts,
    signal: AbortSignal,
  ): Promise<void> {
    const channelId = randomUUID(); // not by time: a stranger could guess its neighbours
    const token = randomBytes(32).toString('base64url');
    await this.watches.add({
      channelId,
      connectionId: connection.id,
      resource,
      partition,
      tokenHash: createHash('sha256').update(token).digest('hex'),
    });
    try {
      const path = await this.providers.deliveryPath(this.registry.get(connection.provider), connection);
      const address = `${this.settings.publicUrl}${path}`;
      await this.watches.activate(
        channelId,
        await watch.create({ ...this.context(connection, partition, signal), channelId, token, address }),
      );
    } catch (error) {
      if (isPartial(syncError(error))) await this.watches.refuse(channelId, new Date(this.clock.now()));
      else await this.watches.remove(channelId);
      throw error;
    }
  }

  private async stop(connection: ConnectionRef, old: Watch, signal: AbortSignal): Promise<void> {
    const watch = this.watchFactsOf(connection.provider, old.resource);
    try {
      if (watch && old.remoteId !== '')
        await watch.stop({ ...this.context(connection, old.partition, signal), channelId: old.channelId, remoteId: old.remoteId });
    } catch (error) {
      // It ends by itself; what it still sends is refused, because its row is gone.
      if (!accessEnded(syncError(error))) this.report('A watch could not be stopped; it will end by itself.', connection, error);
    }
    await this.watches.remove(old.channelId);
  }

  private lives(watch: Watch, facts: WatchFacts): boolean {
    if (watch.status === 'creating') return true;
    if (watch.status === 'refused') return (watch.expiresAt?.getTime() ?? 0) > this.clock.now();
    return watch.status === 'active' && watch.expiresAt !== null && watch.expiresAt.getTime() > this.clock.now() + facts.renewBeforeMs;
  }

  private watchFactsOf(provider: string, resource: string): WatchFacts | undefined {
    return this.registry.find(provider)?.sync?.resources.find(({ name }) => name === resource)?.watch;
  }

  private context(connection: ConnectionRef, partition: string, signal: AbortSignal): SyncContext {
    return {
      connection,
      fetch: this.http.fetchFor(connection, { signal, operation: 'watch' }),
      partition,
      checkpoint: undefined,
      signal,
      now: () => this.clock.now(),
    };
  }

  private report(msg: string, connection: ConnectionRef, error: unknown): void {
    const { code, providerCode } = syncError(error);
    this.logger.warn({ msg, provider: connection.provider, connectionId: connection.id, code, providerCode });
  }
}
