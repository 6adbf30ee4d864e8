import 'reflect-metadata';
import { Body, Controller, Inject, Module, Param, Post } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { Public } from '../../src/http-api';
import { drainAndClose } from '../../src/http-api/edge/drain';
import { createLogger } from '../../src/http-api/logging';
import { createApp, listen, tellParent } from '../../src/bootstrap';
import { CLOCK, type Clock } from '../../src/clock';
import { readEnvironment } from '../../src/config/env';
import { PROVIDER_SETTINGS } from '../../src/providers';
import {
  ConnectionRepository,
  GovernedHttp,
  IntegrationsModule,
  ProviderRegistry,
  toRef,
  type LimitFacts,
  type Provider,
} from '../../src/integrations';
import { ConnectionsModule } from '../../src/integrations/connections/connections.module';
import { TokenRepository } from '../../src/integrations/connections/tokens/token.repository';
import { LimitQueue } from '../../src/integrations/outbound/policies/limits/limit-queue';
import { RedisLimitStore } from '../../src/integrations/outbound/policies/limits/redis-limit-store';
import { ConnectModule } from '../../src/integrations/connect/connect.module';
import { TokenService } from '../../src/integrations/connections/tokens/token.service';

interface Loop {
  readonly calls: number;
  readonly concurrency: number;
}
interface Figures {
  readonly perSecond: number;
  readonly p50Ms: number;
}
// eslint-disable-next-line @typescript-eslint/no-require-imports -- the same plain JavaScript loop as the rivals run
const { loop } = require('../rivals/call-loop.cjs') as {
  loop(once: (call: number) => Promise<void>, calls: number, concurrency: number): Promise<Figures>;
};

const FREE: LimitFacts = { perSecond: 1_000_000, burst: 1_000_000, per: 'account' };

/** The service's own parts, called as its providers' folders call them: what the arms of B5 to B7 measure. */
@Public()
@Controller('bench')
class CallsController {
  constructor(
    private readonly registry: ProviderRegistry,
    private readonly connections: ConnectionRepository,
    private readonly stored: TokenRepository,
    private readonly tokens: TokenService,
    private readonly http: GovernedHttp,
    private readonly dataSource: DataSource,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** A provider at this origin, and a connection to it; asked again, it changes the limit. */
  @Post('providers')
  async register(
    @Body() { origin, limit = FREE, connect }: { origin: string; limit?: LimitFacts; connect?: boolean },
  ): Promise<{ connectionId?: string; tokenId?: string }> {
    const known = this.registry.find('bench');
    if (known) (known.http.limits as Record<string, LimitFacts>)['all'] = limit;
    else this.registry.register(providerAt(origin, limit));
    if (!connect) return {};
    const at = new Date(this.clock.now());
    const account = { accountId: 'bench', accountName: 'Bench' };
    const { connection } = await this.connections.upsertConnected(this.dataSource.manager, {
      tenant: 'bench',
      userId: 'u1',
      provider: 'bench',
      authType: 'oauth2',
      account,
      scopes: [],
      at,
    });
    const [token] = await this.stored.save(
      this.dataSource.manager,
      connection,
      [{ kind: 'default', accessToken: 'bench-token', scopes: [] }],
      { mode: 'replace', at },
    );
    return { connectionId: connection.id, tokenId: token?.id };
  }

  /** Calls through the whole chain, as an SDK makes them. */
  @Post(':id/calls')
  async calls(@Param('id') id: string, @Body() { calls, concurrency }: Loop): Promise<Figures> {
    const connection = toRef((await this.connections.findById(id))!);
    const url = `${this.registry.get('bench').apiBaseUrl}v1/things`;
    return loop(
      async () => {
        const response = await this.http.fetchFor(connection)(url, { headers: { accept: 'application/json' } });
        const { ok } = (await response.json()) as { ok: boolean };
        if (response.status !== 200 || !ok) throw new Error(`answered ${response.status}`);
      },
      calls,
      concurrency,
    );
  }

  /** As many calls as fit in the time; the limiter holds them back. */
  @Post(':id/calls-for')
  async callsFor(
    @Param('id') id: string,
    @Body() { ms, concurrency }: { ms: number; concurrency: number },
  ): Promise<{ done: number; failures: Record<string, number> }> {
    const connection = toRef((await this.connections.findById(id))!);
    const url = `${this.registry.get('bench').apiBaseUrl}v1/things`;
    const end = performance.now() + ms;
    const seen = { done: 0, failures: {} as Record<string, number> };
    const caller = async () => {
      while (performance.now() < end) {
        try {
          await (await this.http.fetchFor(connection)(url)).json();
          seen.done++;
        } catch (error) {
          const { code = 'unknown' } = error as { code?: string };
          seen.failures[code] = (seen.failures[code] ?? 0) + 1;
        }
      }
    };
    await Promise.all(Array.from({ length: concurrency }, caller));
    return seen;
  }

  @Post('limits')
  async limits(@Body() { calls, concurrency, buckets }: Loop & { buckets: number }): Promise<Figures> {
    const store = new RedisLimitStore(process.env['REDIS_URL']!, this.clock, { prefix: `bench-${process.pid}:` });
    const queue = new LimitQueue(store, this.clock);
    const { signal } = new AbortController();
    // The gate comes first, as with every call; a second one is a declared limit.
    const all = [
      { key: 'bench|limit|a', intervalMs: 0.001, burst: 1_000_000, cost: 1, closes: true },
      { key: 'bench|gate|a', intervalMs: 0, burst: 1, cost: 1, closes: true },
    ];
    const ask = { provider: 'bench', account: 'a', buckets: all.slice(0, buckets), signal, deadlineAt: Number.POSITIVE_INFINITY };
    try {
      while (store.isAlone()) await new Promise((resolve) => setTimeout(resolve, 10));
      const figures = await loop(async () => queue.enter(ask), calls, concurrency);
      if (store.isAlone()) throw new Error('Redis was lost on the way.');
      return figures;
    } finally {
      await store.stop();
    }
  }

  /** Tokens of a connection, asked for again and again. */
  @Post(':id/tokens')
  async hotReads(@Param('id') id: string, @Body() { calls, concurrency }: Loop): Promise<Figures> {
    const connection = toRef((await this.connections.findById(id))!);
    return loop(
      async () => {
        const { accessToken } = await this.tokens.accessToken(connection);
        if (accessToken !== 'bench-token') throw new Error('another token');
      },
      calls,
      concurrency,
    );
  }
}

@Module({ imports: [IntegrationsModule, ConnectionsModule, ConnectModule], controllers: [CallsController] })
class CallsModule {}

function providerAt(origin: string, limit: LimitFacts): Provider {
  return {
    key: 'bench',
    name: 'Bench',
    configured: true,
    apiBaseUrl: `${origin}/`,
    auth: { parseTokenResponse: () => [], identify: () => Promise.reject(new Error('not asked here')) },
    http: { endpoints: [{ path: '/v1/things', limits: ['all'] }], limits: { all: limit }, defaultLimits: [] },
    actions: [],
  };
}

async function main(): Promise<void> {
  const settings = readEnvironment(PROVIDER_SETTINGS);
  const app = await createApp(settings, { logger: createLogger(settings), imports: [CallsModule] });
  await listen(app, settings);
  tellParent(settings);
  process.stdout.write(`ready ${process.pid}\n`);
  process.once('SIGTERM', () => void drainAndClose(app).then(() => process.exit(0)));
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  process.exit(1);
});
