import { randomBytes, randomUUID } from 'node:crypto';
import { AuditLog } from '../../audit';
import { v7 as uuidv7 } from 'uuid';
import { sealsOn } from '../../../../test/support/seals';
import { createTestDatabase, type TestDatabase } from '../../../../test/support/test-database';
import type { Clock } from '../../../clock';
import { ConnectionRepository } from '../../connections/connection.repository';
import type { ConnectionSeals } from '../../connections/seals/connection-seals';
import { IntegrationEvents, type IntegrationEvent } from '../../integration-events';
import type { ConnectionRef, Provider, ProviderSync } from '../../contract';
import { JobEngine } from '../../jobs/job-engine';
import { ProcessPresence } from '../../jobs/process-presence';
import type { JobWorker } from '../../jobs/job-worker';
import { PeriodicTasks } from '../../jobs/periodic-tasks';
import { InProcessWakeUp } from '../../jobs/wake-up/in-process.wake-up';
import { DestinationInterest } from '../../notifications/outbox/destination-interest';
import { Outbox } from '../../notifications/outbox/outbox';
import { SecretBox } from '../../connections/tokens/secret-box';
import { TenantProviders } from '../../connections/clients/tenant-providers';
import { ProviderRegistry } from '../../providers/provider-registry';
import { PageStore } from '../pages/page-store';
import { RecordChangeEvents } from '../records/record-change-events';
import { RecordCompactor } from '../records/record-compactor';
import { RecordFeed, type FeedItem } from '../feed/record-feed';
import { RecordStore } from '../records/record-store';
import { ResourceWalker } from '../pages/resource-walker';
import { ScheduleRepository } from '../runs/schedule.repository';
import { SyncPartRepository } from '../runs/sync-part.repository';
import { SyncRunRepository, type ClaimedRun } from '../runs/sync-run.repository';
import { RunOutcome } from '../runs/run-outcome';
import { RunParts } from '../runs/run-parts';
import { SyncJobs } from '../runs/sync-jobs';
import { SyncScheduler } from '../runs/sync-scheduler';
import { SyncService } from '../runs/sync.service';
import type { SyncRun } from '../runs/sync-run';
import { WalkRepository } from '../pages/walk.repository';
import { SyncWatchEntity } from '../watches/sync-watch.entity';
import { WatchRepository } from '../watches/watch.repository';
import { WatchService } from '../watches/watch.service';

/** The time of a test: stands still until it is moved. Sleepers that are never reached end with their signal. */
export class StillClock implements Clock {
  constructor(private ms = Date.now()) {}
  now(): number {
    return this.ms;
  }
  advance(ms: number): void {
    this.ms += ms;
  }
  sleep(_ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((_resolve, reject) => signal?.addEventListener('abort', () => reject(signal.reason as Error), { once: true }));
  }
}

const SETTINGS = {
  workers: false,
  syncIncrementalSeconds: 900,
  syncFullSeconds: 7 * 86_400,
  retentionDays: 30,
  publicUrl: 'https://trestle.example',
};

/** The parts of one process, on a database that several may share. */
export class SyncProcess {
  readonly events = new IntegrationEvents();
  readonly told: IntegrationEvent[] = [];
  readonly runs: SyncRunRepository;
  readonly walks: WalkRepository;
  readonly records: RecordStore;
  readonly feed: RecordFeed;
  readonly changes: RecordChangeEvents;
  readonly compactor: RecordCompactor;
  readonly service: SyncService;
  readonly parts: SyncPartRepository;
  readonly schedules: ScheduleRepository;
  readonly watches: WatchService;
  readonly jobs: SyncJobs;
  readonly scheduler: SyncScheduler;
  private readonly worker: JobWorker<ClaimedRun>;
  private stopped = false;

  constructor(
    readonly harness: SyncHarness,
    settings: Partial<typeof SETTINGS> = {},
  ) {
    const own = { ...SETTINGS, ...settings };
    const { dataSource } = harness.database;
    const { clock, registry } = harness;
    const wakeUp = new InProcessWakeUp(own, clock);
    const http = { fetchFor: () => globalThis.fetch };
    const connections = new ConnectionRepository(dataSource, harness.seals);
    this.events.on('*', (event) => this.told.push(event));
    this.runs = new SyncRunRepository(dataSource);
    this.walks = new WalkRepository(dataSource);
    this.records = new RecordStore(dataSource, clock);
    this.feed = new RecordFeed(dataSource);
    this.compactor = new RecordCompactor(dataSource, this.records, clock, own);
    this.parts = new SyncPartRepository(dataSource, own);
    this.service = new SyncService(dataSource, this.runs, this.records, this.parts, this.walks, wakeUp, new AuditLog(dataSource, clock));
    this.schedules = new ScheduleRepository(dataSource, own);
    this.watches = new WatchService(
      new WatchRepository(dataSource.getRepository(SyncWatchEntity)),
      connections,
      registry,
      new TenantProviders(dataSource, registry, new SecretBox([{ id: 'harness', key: randomBytes(32) }])),
      http,
      clock,
      own,
    );
    const outbox = new Outbox(new DestinationInterest(clock));
    this.changes = new RecordChangeEvents(clock, outbox);
    const pages = new PageStore(dataSource, this.runs, this.walks, this.records, this.changes);
    const walker = new ResourceWalker(pages, this.walks, http, clock);
    const outcome = new RunOutcome(dataSource, this.runs, this.records, this.service, this.parts, this.schedules, this.events, outbox);
    const parts = new RunParts(walker, this.records, registry, this.parts, this.runs);
    const engine = new JobEngine(wakeUp, clock, new ProcessPresence(undefined, clock));
    this.jobs = new SyncJobs(this.runs, connections, parts, outcome, this.watches, this.events, engine, clock);
    this.jobs.onApplicationBootstrap();
    if (!this.jobs.worker) throw new Error('no worker');
    this.worker = this.jobs.worker;
    const periodic = new PeriodicTasks({ workers: true }, clock);
    this.scheduler = new SyncScheduler(dataSource, this.schedules, this.walks, this.compactor, this.watches, this.service, periodic, own);
  }

  /** Does one run that is due, if there is one. */
  async step(): Promise<'more' | 'idle'> {
    if (this.stopped) return 'idle';
    const { leaseSeconds } = this.jobs.options;
    const request = { room: 1, held: this.worker.inWork, leaseSeconds, newLease: randomUUID, signal: new AbortController().signal };
    const [run] = (await this.jobs.claim(request)).jobs;
    if (!run) return 'idle';
    await this.worker.run(run);
    return 'more';
  }

  async drain(): Promise<void> {
    while ((await this.step()) === 'more');
  }

  /** As when the connection is ended. */
  async cancel(connectionId: string): Promise<void> {
    await this.service.cancelFor(connectionId);
    this.jobs.cancel(connectionId);
  }

  /** As at a shutdown: what runs is handed back. */
  shutDown(): void {
    this.stopped = true;
    void this.worker.stop();
  }
}

/** A real database with connections to pretended remotes. */
export class SyncHarness {
  readonly clock = new StillClock();
  readonly registry = new ProviderRegistry();

  readonly seals: ConnectionSeals;

  private constructor(readonly database: TestDatabase) {
    this.seals = sealsOn(database.dataSource);
  }

  static async start(): Promise<SyncHarness> {
    return SyncHarness.on(await createTestDatabase());
  }

  static on(database: TestDatabase): SyncHarness {
    return new SyncHarness(database);
  }

  process(settings?: Partial<typeof SETTINGS>): SyncProcess {
    return new SyncProcess(this, settings);
  }

  /** Registers a provider that syncs so; gives its key. */
  provider(sync: ProviderSync): string {
    const key = `p${uuidv7().replaceAll('-', '').slice(-20)}`;
    const provider: Provider = {
      key,
      name: key,
      configured: true,
      apiBaseUrl: 'https://api.example/',
      auth: { parseTokenResponse: () => [], identify: () => Promise.resolve({ accountId: 'a', accountName: 'a' }) },
      http: { endpoints: [], limits: {}, defaultLimits: [] },
      sync,
      actions: [],
    };
    this.registry.register(provider);
    return key;
  }

  async connect(provider: string, tenant = 'acme'): Promise<ConnectionRef> {
    const id = uuidv7();
    await this.query(
      `INSERT INTO connections (id, tenant, user_id, provider, account_id, account_name, routing_key, auth_type, status) VALUES ($1, $2, 'u1', $3, $4, 'Account', $4, 'oauth2', 'connected')`,
      [id, tenant, provider, id],
    );
    await this.seals.sealUnsealed();
    return { id, tenant, userId: 'u1', provider, accountId: id, authType: 'oauth2', metadata: {} };
  }

  query<Row = Record<string, unknown>>(sql: string, params: unknown[] = []): Promise<Row[]> {
    return this.database.dataSource.query(sql, params);
  }

  async latestRun(connectionId: string): Promise<SyncRun> {
    const [run] = await new SyncRunRepository(this.database.dataSource).list({ connectionId, limit: 1 });
    if (!run) throw new Error('no run');
    return run;
  }

  /** The lease of a process that died ends. */
  async endLeases(): Promise<void> {
    await this.query(`UPDATE sync_runs SET lease_until = now() - interval '1 second' WHERE status = 'running'`);
  }

  /** What waits for a later try is due now. */
  async endWaits(): Promise<void> {
    await this.query(`UPDATE sync_runs SET next_attempt_at = now() WHERE status = 'queued'`);
  }

  /** The living records of a connection, by `partition/id`. */
  async stored(connectionId: string): Promise<Map<string, unknown>> {
    const rows = await this.query<{ key: string; data: unknown }>(
      `SELECT partition || '/' || external_id AS key, data FROM records WHERE connection_id = $1 AND NOT deleted`,
      [connectionId],
    );
    return new Map(rows.map(({ key, data }) => [key, data]));
  }

  close(): Promise<void> {
    return this.database.close();
  }
}

/** A reader that tails a feed and keeps what it was told. */
export class FeedReader {
  readonly known = new Map<string, unknown>();
  private cursor: string | undefined;

  constructor(
    private readonly feed: RecordFeed,
    private readonly connectionId: string,
    private readonly resource = 'items',
    private readonly limit = 7,
  ) {}

  async catchUp(): Promise<void> {
    for (;;) {
      const page = await this.feed.read({
        connectionId: this.connectionId,
        resource: this.resource,
        cursor: this.cursor,
        limit: this.limit,
      });
      for (const item of page.data) this.take(item);
      this.cursor = page.nextCursor;
      if (page.data.length < this.limit) return;
    }
  }

  private take(item: FeedItem): void {
    const key = `${item.partition ?? ''}/${item.id}`;
    if (item.deleted) this.known.delete(key);
    else this.known.set(key, item.data);
  }
}
