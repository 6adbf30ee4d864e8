import { randomBytes } from 'node:crypto';
import { v7 as uuidv7 } from 'uuid';
import type { TestDatabase } from '../../../../test/support/test-database';
import type { Clock } from '../../../clock';
import { IntegrationEvents } from '../../connections/integration-events';
import { SecretBox } from '../../connections/tokens/secret-box';
import type { OutgoingFact } from '../../connections/outbox.port';
import { OutgoingHttp } from '../../outbound/transport/outgoing-http';
import type { RawDelivery } from '../../contract';
import { WakeUp } from '../../jobs/wake-up/wake-up';
import { RecordChangeBatches } from '../record-change-batches';
import { Outbox } from '../outbox';
import { DeliveryClaims } from '../delivery-claims';
import { DeliveryList } from '../delivery.list';
import { DeliveryRunner } from '../delivery-runner';
import { DeliverySender } from '../delivery-sender';
import type { DestinationInput } from '../destination';
import { DestinationInterest } from '../destination-interest';
import { DestinationRepository } from '../destination.repository';
import { OperatorDestinations } from '../operator-destinations';
import { DestinationSecrets } from '../destination-secrets';
import { DestinationService, type WithSecret } from '../destination.service';
import type { OutgoingOptions } from '../delivery-options';
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
  readonly options?: Partial<OutgoingOptions>;
  readonly box?: SecretBox;
  readonly settings?: ConstructorParameters<typeof OperatorDestinations>[2];
}

export const testBox = () => new SecretBox([{ id: 'k1', key: randomBytes(32) }]);

/** The parts of one process, on a database that several may share. */
export class OutgoingProcess {
  readonly wakeUp = new CountingWakeUp();
  readonly events = new IntegrationEvents();
  readonly interest: DestinationInterest;
  readonly outbox: Outbox;
  readonly gatherer: RecordChangeBatches;
  readonly claims: DeliveryClaims;
  readonly operators: OperatorDestinations;
  readonly sender: DeliverySender;
  readonly runner: DeliveryRunner;
  readonly deliveries: DeliveryList;
  readonly destinations: DestinationService;
  private readonly http: OutgoingHttp;

  constructor(
    readonly database: TestDatabase,
    { clock, production = false, options = {}, box = testBox(), settings = {} }: ProcessOptions,
  ) {
    const { dataSource } = database;
    const secrets = new DestinationSecrets(box);
    this.http = new OutgoingHttp({ production });
    this.interest = new DestinationInterest(clock);
    this.outbox = new Outbox(this.interest, options);
    this.gatherer = new RecordChangeBatches(dataSource, this.outbox);
    this.claims = new DeliveryClaims(dataSource, clock, options);
    this.operators = new OperatorDestinations(dataSource, this.interest, settings, clock);
    this.sender = new DeliverySender(this.http, secrets, this.operators, clock, options);
    this.runner = new DeliveryRunner(
      dataSource,
      this.interest,
      this.outbox,
      this.gatherer,
      this.claims,
      this.sender,
      this.events,
      this.wakeUp,
      clock,
      options,
    );
    this.deliveries = new DeliveryList(dataSource, this.wakeUp, clock, options);
    this.destinations = new DestinationService(
      dataSource,
      new DestinationRepository(dataSource, clock),
      secrets,
      this.interest,
      this.http,
      this.sender,
      this.claims,
      this.deliveries,
      this.wakeUp,
      { production },
      clock,
      options,
    );
    this.runner.onApplicationBootstrap();
  }

  destination(url: string, input: Partial<DestinationInput> = {}, tenant = 'acme'): Promise<WithSecret> {
    return this.destinations.create(tenant, { name: 'Test', url, events: ['sync.completed'], webhookTypes: [], ...input });
  }

  /** Something happens, and is committed. */
  happens(fact: Partial<OutgoingFact> = {}): Promise<void> {
    return this.database.dataSource.transaction((manager) => this.outbox.add(manager, [factOf(fact)]));
  }

  /** Looks once, and waits for the answers and what they lead to. */
  async deliver(): Promise<void> {
    await this.runner.work();
    await this.runner.idle();
  }

  async close(): Promise<void> {
    await this.runner.beforeApplicationShutdown();
    await this.http.onApplicationShutdown();
  }
}

export function factOf(fact: Partial<OutgoingFact> = {}): OutgoingFact {
  return {
    type: 'sync.completed',
    tenant: 'acme',
    provider: 'p',
    connectionId: uuidv7(),
    at: new Date(Date.UTC(2026, 0, 10, 12)),
    data: { n: 1 },
    ...fact,
  };
}

/** As the inbox of a receiver would see it. */
export function deliveryOf({ headers, body }: Received, receivedAt: number): RawDelivery {
  return { headers: headers as RawDelivery['headers'], body, receivedAt, query: {} } as unknown as RawDelivery;
}
