import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { DataSource } from 'typeorm';
import type { Services } from '../../../bench/lib/benchmark';
import { startSandbox, type DeliverSpec, type DeliverSummary, type Sandbox } from '../../../sandbox';
import { startCluster, type Cluster, type ClusterOptions, type Member } from '../../support/service-cluster';
import { atEnd } from './clean-up';
import type { Stage } from './fault';
import { CREATE_SINK } from './sink-table';
import { sleep, until } from './waiting';

const TENANTS = 50;
const PROCESSES = 3;
const CONCURRENCY = 50;

/** Twenty types that no handler of the product asks Stripe about; one of them its example handler notes. */
export const TYPES = [
  ...['succeeded', 'failed', 'refunded', 'captured', 'expired', 'pending', 'updated'].map((name) => `charge.${name}`),
  ...['created', 'paid', 'failed', 'updated', 'canceled'].map((name) => `payout.${name}`),
  ...['created', 'reversed', 'updated'].map((name) => `transfer.${name}`),
  ...['created', 'succeeded', 'canceled', 'processing'].map((name) => `payment_intent.${name}`),
  'balance.available',
];

export interface WorldOptions {
  readonly stage: Stage;
  readonly services: Services;
  /** Further settings of the service. */
  readonly env?: Readonly<Record<string, string>>;
  readonly envOf?: ClusterOptions['envOf'];
  readonly processes?: number;
  /** Of the run's own, in place of the machine's. */
  readonly databaseUrl?: string;
  readonly redisUrl?: string;
}

/** The service under test with fifty connected tenants, and the sandbox that sends to it. All of it is ended by `cleanUp`. */
export interface World {
  readonly stage: Stage;
  readonly cluster: Cluster;
  readonly sandbox: Sandbox;
  /** Stripe's account ids, one a tenant. */
  readonly accounts: readonly string[];
  /** Sends signed events, 50 at once, in turn to all processes; what is not taken is sent again for minutes. */
  send(count: number, more?: Partial<DeliverSpec>): Promise<DeliverSummary>;
  /** Reads the database while the service runs; undefined where it cannot be read just now. */
  ask<Row extends object>(sql: string): Promise<Row[] | undefined>;
  /** Waits until no stored event is left to be worked on. @returns how long that took, ms, or undefined */
  settled(withinMs: number): Promise<number | undefined>;
  /** Connects a tenant's Stripe account for real, by API key. @returns the connection's id */
  connect(account: string): Promise<string>;
  fetch(member: Member, path: string, init?: { method?: string; body?: unknown; account?: string }): Promise<Response>;
}

export async function startWorld(options: WorldOptions): Promise<World> {
  const { stage, services } = options;
  const accounts = Array.from({ length: TENANTS }, (_, index) => `acct_fault${String(index).padStart(2, '0')}`);
  const sandbox = await startSandbox({ autoConsent: 'allow', webhookRetryMs: Array.from({ length: 100 }, () => 500) });
  atEnd(() => sandbox.stop());
  const cluster = await startCluster({
    entry: join(__dirname, 'service.ts'),
    processes: options.processes ?? PROCESSES,
    ...(stage === 'server' && {
      databaseUrl: options.databaseUrl ?? services.databaseUrl,
      ownDatabase: options.databaseUrl !== undefined,
      redisUrl: options.redisUrl ?? emptyDatabaseOf(services.redisUrl),
    }),
    env: { ...sandbox.env(), REQUESTS_PER_SECOND: '100000', ...options.env },
    envOf: options.envOf,
    prepare: async (database) => {
      await database.query(CREATE_SINK);
      await connectAll(database, accounts);
    },
  });
  atEnd(() => cluster.stop());
  sandbox.setWebhookTarget(cluster.members.map(({ url }) => url).join(','));
  return new RunningWorld(stage, cluster, sandbox, accounts);
}

class RunningWorld implements World {
  constructor(
    readonly stage: Stage,
    readonly cluster: Cluster,
    readonly sandbox: Sandbox,
    readonly accounts: readonly string[],
  ) {}

  send(count: number, more: Partial<DeliverSpec> = {}): Promise<DeliverSummary> {
    return this.sandbox.control.deliver({
      provider: 'stripe',
      type: TYPES,
      account: [...this.accounts],
      count,
      concurrency: CONCURRENCY,
      retries: 600,
      retryMs: 250,
      ...more,
    });
  }

  async ask<Row extends object>(sql: string): Promise<Row[] | undefined> {
    if (this.stage === 'server') return this.cluster.query<Row>(sql).catch(() => undefined);
    const member = this.cluster.members[0] as Member;
    const options = {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ sql }),
      signal: AbortSignal.timeout(8_000),
    };
    const answer = await fetch(`${member.url}/faults/query`, options).catch(() => undefined);
    return answer?.ok ? ((await answer.json()) as Row[]) : undefined;
  }

  settled(withinMs: number): Promise<number | undefined> {
    const open = async () => {
      const rows = await this.ask<{ n: number }>(
        `SELECT count(*)::int AS n FROM webhook_events WHERE status IN ('received', 'failed', 'processing')`,
      );
      return rows?.[0]?.n === 0;
    };
    return until(open, withinMs, 250);
  }

  async connect(account: string): Promise<string> {
    const apiKey = String(this.sandbox.control.change('stripe', 'keys', { account })['key']);
    const member = this.cluster.members[0] as Member;
    for (let tries = 1; ; tries++) {
      const answer = await this.fetch(member, '/v1/connections', { method: 'POST', account, body: { provider: 'stripe', apiKey } });
      if (answer.ok) return ((await answer.json()) as { id: string }).id;
      if (tries === 5) throw new Error(`could not connect ${account}: ${answer.status} ${await answer.text()}`);
      await sleep(500);
    }
  }

  async fetch(
    member: Member,
    path: string,
    { method = 'GET', body, account = '' }: { method?: string; body?: unknown; account?: string } = {},
  ): Promise<Response> {
    const token = await this.cluster.tokenFor({ tenant: tenantOf(account), user: userOf(account) });
    return fetch(member.url + path, {
      method,
      headers: { authorization: `Bearer ${token}`, ...(body !== undefined && { 'content-type': 'application/json' }) },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(30_000),
    });
  }
}

function tenantOf(account: string): string {
  return `tenant-${account}`;
}

function userOf(account: string): string {
  return `user-${account}`;
}

/** As connecting leaves them, but for the secrets: what receives does not need them. */
async function connectAll(database: DataSource, accounts: readonly string[]): Promise<void> {
  await database.query(
    `INSERT INTO connections (id, tenant, user_id, provider, account_id, account_name, routing_key, auth_type, status)
     SELECT c.id, c.tenant, c.user_id, 'stripe', c.account || ':test', c.account, c.account || ':test', 'api_key', 'connected'
     FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[]) AS c (id, tenant, user_id, account)`,
    [accounts.map(() => randomUUID()), accounts.map(tenantOf), accounts.map(userOf), accounts],
  );
}

/** The last database of the Redis server: whatever else runs on this machine seldom uses it. */
function emptyDatabaseOf(redisUrl: string | undefined): string | undefined {
  if (!redisUrl) return undefined;
  const url = new URL(redisUrl);
  url.pathname = '/15';
  return url.href;
}
