import { Injectable, Logger, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { type Connection, ConnectParticipants, DisconnectService, IntegrationEvents, type IntegrationEvent } from '../../connections';
import type { EntityManager } from 'typeorm';
import { ProviderRegistry } from '../../providers';
import { syncError } from './run-policy';
import { ScheduleRepository } from './schedule.repository';
import { SyncJobs } from './sync-jobs';
import { SyncService } from './sync.service';
import { WatchService } from '../watches/watch.service';

/** What connecting and disconnecting mean for the sync. What is missed here, because the process died, the scheduler mends. */
@Injectable()
export class SyncLifecycle implements OnModuleInit, OnApplicationShutdown {
  private readonly logger = new Logger(SyncLifecycle.name);
  private readonly ends: (() => void)[] = [];
  private readonly pending = new Set<Promise<void>>();

  constructor(
    private readonly events: IntegrationEvents,
    private readonly connects: ConnectParticipants,
    private readonly disconnects: DisconnectService,
    private readonly registry: ProviderRegistry,
    private readonly service: SyncService,
    private readonly schedules: ScheduleRepository,
    private readonly watches: WatchService,
    private readonly jobs: SyncJobs,
  ) {}

  onModuleInit(): void {
    this.ends.push(
      this.connects.register((manager, connection, at) => this.firstRun(manager, connection, at)),
      this.events.on('connection.connected', (event) => this.run(event, () => this.connected(event))),
      this.events.on('connection.needs_reauth', (event) => this.run(event, () => this.schedules.disable(event.connectionId))),
      this.events.on('connection.disconnected', (event) => this.run(event, () => this.disconnected(event))),
      this.disconnects.beforeDisconnect((connection, signal) => this.watches.stopAll(connection, signal)),
    );
  }

  async onApplicationShutdown(): Promise<void> {
    for (const end of this.ends) end();
    await Promise.all(this.pending);
  }

  /** A connection that comes back goes on from its cursors. */
  private async connected({ provider, connectionId, at }: IntegrationEvent): Promise<void> {
    if (!this.registry.find(provider)?.sync) return;
    await this.watches.forgetRefusals(connectionId);
    await this.schedules.enable(connectionId);
    await this.service.request(connectionId, await this.service.afterConnect(connectionId, at));
  }

  /** With the connect, so that nobody sees an account that is connected and waits for nothing. */
  private async firstRun(manager: EntityManager, { id, provider }: Connection, at: Date): Promise<void> {
    if (!this.registry.find(provider)?.sync) return;
    await this.service.forgetFailures(id, manager);
    await this.service.queue(id, await this.service.afterConnect(id, at, manager), manager);
  }

  private async disconnected({ connectionId }: IntegrationEvent): Promise<void> {
    await this.schedules.disable(connectionId);
    await this.service.cancelFor(connectionId);
    this.jobs.cancel(connectionId);
  }

  private run(event: IntegrationEvent, work: () => Promise<unknown>): void {
    const done = work().then(
      () => undefined,
      (error: unknown) =>
        this.logger.error({ msg: `Following ${event.type} failed.`, connectionId: event.connectionId, code: syncError(error).code }),
    );
    this.pending.add(done);
    void done.finally(() => this.pending.delete(done));
  }
}
