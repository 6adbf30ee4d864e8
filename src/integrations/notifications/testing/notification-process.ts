import { randomBytes } from 'node:crypto';
import { v7 as uuidv7 } from 'uuid';
import type { TestDatabase } from '../../../../test/support/test-database';
import type { Clock } from '../../../clock';
import { IntegrationEvents } from '../../integration-events';
import { SecretBox } from '../../connections/tokens/secret-box';
import type { OutboxEvent } from '../outbox/outbox-event';
import { DestinationHttp } from '../../outbound/transport/destination-http';
import type { RawDelivery } from '../../contract';
import { JobEngine } from '../../jobs/job-engine';
import { ProcessPresence } from '../../jobs/process-presence';
import type { JobWorker } from '../../jobs/job-worker';
import { WakeUp } from '../../jobs/wake-up/wake-up';
import type { ClaimedDelivery } from '../claimed-delivery';
import { RecordChangeBatches } from '../outbox/record-change-batches';
import { Outbox } from '../outbox/outbox';
import { DeliveryClaims } from '../delivery-claims';
import { AuditLog } from '../../audit';
import { DeliveryList } from '../delivery.list';
import { FigureCollector } from '../../figures';
import { DeliveryJobs } from '../delivery-jobs';
import { DeliveryWakeUp } from '../delivery-wake-up';
import { DeliverySender } from '../delivery-sender';
import type { NewDestination } from '../destination';
import { DestinationInterest } from '../outbox/destination-interest';
import { DestinationRepository } from '../destination.repository';
import { OperatorDestinations } from '../operator-destinations';
import { DestinationSecrets } from '../destination-secrets';
import { DestinationService, type WithSecret } from '../destination.service';
import { DestinationTester } from '../destination-tester';
import { DELIVERY_DEFAULTS, type DeliveryOptions } from '../delivery-options';
import type { Received } from './http-receiver';

/** Stands still until it is moved. */
export class StillClock implements Clock {
  constructor(private ms = Date.UTC(2026, 0, 10, 12)) {}
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

/** Calls are counted; the test looks by itself. */
export class CountingWakeUp extends WakeUp {
  calls = 0;
  wake(): void {
    this.calls++;
  }
  listen(): void {}
  status() {
    return Promise.resolve({ status: 'ok' as const });
  }
}

export interface ProcessOptions {
  readonly clock: Clock;
  readonly production?: boolean;
  readonly options?: Partial<DeliveryOptions>;
  readonly box?: SecretBox;
  readonly settings?: Partial<ConstructorParameters<typeof OperatorDestinations>[2]>;
}

export const testBox = () => new SecretBox([{ id: 'k1', key: randomBytes(32) }]);

/** The parts of one process, on a database that several may share. */
export class NotificationProcess {
  readonly wakeUp = new CountingWakeUp();
  readonly events = new IntegrationEvents();
  readonly interest: DestinationInterest;
  readonly outbox: Outbox;
  readonly claims: DeliveryClaims;
  readonly operators: OperatorDestinations;
  readonly figures: FigureCollector;
  readonly sender: DeliverySender;
  readonly worker: JobWorker<ClaimedDelivery>;
  readonly deliveries: DeliveryList;
  readonly destinations: DestinationService;
  readonly tester: DestinationTester;
  private readonly engine: JobEngine;
  private readonly wakesUp: DeliveryWakeUp;
  private readonly http: DestinationHttp;

  constructor(
    readonly database: TestDatabase,
    { clock, production = false, options = {}, box = testBox(), settings = {} }: ProcessOptions,
  ) {
    const { dataSource } = database;
    const all = { ...DELIVERY_DEFAULTS, ...options };
    const secrets = new DestinationSecrets(box);
    const repository = new DestinationRepository(dataSource, clock);
    this.http = new DestinationHttp({ production });
    this.engine = new JobEngine(this.wakeUp, clock, new ProcessPresence(undefined, clock));
    this.interest = new DestinationInterest(clock);
    this.outbox = new Outbox(this.interest);
    const batches = new RecordChangeBatches(dataSource, this.outbox);
    this.claims = new DeliveryClaims(dataSource, clock, all);
    this.operators = new OperatorDestinations(dataSource, this.interest, { publicUrl: 'https://trestle.test', ...settings }, clock);
    this.figures = new FigureCollector(dataSource);
    this.sender = new DeliverySender(this.http, secrets, this.operators, clock, all);
    const jobs = new DeliveryJobs(dataSource, this.interest, batches, this.claims, this.sender, this.engine, all, this.figures);
    const audit = new AuditLog(dataSource, clock);
    this.deliveries = new DeliveryList(dataSource, this.wakeUp, clock, audit);
    this.destinations = new DestinationService(repository, secrets, this.interest, this.http, this.wakeUp, { production }, clock, audit);
    this.tester = new DestinationTester(dataSource, repository, secrets, jobs, this.deliveries, clock, all);
    this.wakesUp = new DeliveryWakeUp(this.outbox, this.events, this.wakeUp);
    this.wakesUp.onApplicationBootstrap();
    jobs.onApplicationBootstrap();
    if (!jobs.worker) throw new Error('no worker');
    this.worker = jobs.worker;
  }

  destination(url: string, input: Partial<NewDestination> = {}, tenant = 'acme'): Promise<WithSecret> {
    const caller = { tenant, userId: 'boss', role: input.scope === 'all' ? 'operator' : 'admin' } as const;
    const made = { scope: 'tenant', ordered: false, match: null, ...input } as const;
    return this.destinations.create(caller, { name: 'Test', url, events: ['sync.completed'], webhookTypes: [], ...made });
  }

  /** Something happens, and is committed. */
  happens(event: Partial<OutboxEvent> = {}): Promise<void> {
    return this.database.dataSource.transaction((manager) => this.outbox.add(manager, [eventOf(event)]));
  }

  /** Looks once, and waits for the answers and what they lead to. */
  async deliver(): Promise<void> {
    await this.worker.wake();
    await this.worker.idle();
  }

  async close(): Promise<void> {
    this.wakesUp.beforeApplicationShutdown();
    await this.engine.beforeApplicationShutdown();
    await this.http.onApplicationShutdown();
  }
}

export function eventOf(event: Partial<OutboxEvent> = {}): OutboxEvent {
  return {
    type: 'sync.completed',
    tenant: 'acme',
    provider: 'p',
    connectionId: uuidv7(),
    at: new Date(Date.UTC(2026, 0, 10, 12)),
    data: { n: 1 },
    ...event,
  };
}

/** As the inbox of a receiver would see it. */
export function deliveryOf({ headers, body }: Received, receivedAt: number): RawDelivery {
  return { headers: headers as RawDelivery['headers'], body, receivedAt, query: {} } as unknown as RawDelivery;
}
