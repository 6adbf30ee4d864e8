import {
  Controller,
  Get,
  Injectable,
  UseInterceptors,
  type CallHandler,
  type ExecutionContext,
  type NestInterceptor,
  type OnModuleInit,
  Module,
} from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyInstance } from 'fastify';
import { Observable } from 'rxjs';
import { DataSource } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';
import { z } from 'zod';
import { asService, inTransaction } from '../src/database';
import { Answer, CurrentUser, requestContext, type Principal } from '../src/http-api';
import { ConnectionEntity } from '../src/integrations/connections/connection.entity';
import { JobsModule, PeriodicTasks } from '../src/integrations/jobs';
import { LostContextError } from '../src/lost-context-error';
import { startTestApp, type TestApp } from './support/test-app';

const OTHERS = { requestId: 'of-another', principal: { tenant: 'globex', userId: 'u9', role: 'admin' } as Principal };
const LOST = {
  none: <T>(work: () => T) => requestContext.exit(work),
  another: <T>(work: () => T) => requestContext.run(OTHERS, work),
};

/** Of both applications: the first one's logger is the process's. */
const lines: string[] = [];

/** Loses the context between the guard and the handler, as a library with a pool of its own callbacks would. */
@Injectable()
class Losing implements NestInterceptor {
  intercept(_: ExecutionContext, next: CallHandler): Observable<unknown> {
    return new Observable((subscriber) => LOST.none(() => next.handle().subscribe(subscriber)));
  }
}

@Controller('v1/held')
class HeldController {
  constructor(private readonly dataSource: DataSource) {}

  @Answer(z.any())
  @Get(['kept', 'none', 'another'])
  read(@CurrentUser() _: Principal) {
    return this.dataSource.query<object[]>('SELECT tenant FROM connections');
  }

  @Answer(z.any())
  @UseInterceptors(Losing)
  @Get('late')
  late(@CurrentUser() _: Principal) {
    return this.dataSource.query<object[]>('SELECT tenant FROM connections');
  }
}

@Module({ controllers: [HeldController] })
class LosingModule implements OnModuleInit {
  constructor(private readonly host: HttpAdapterHost) {}

  onModuleInit(): void {
    const fastify = this.host.httpAdapter.getInstance<FastifyInstance>();
    fastify.addHook('preHandler', (request, _, done) => {
      const lose = LOST[request.url.replace('/v1/held/', '') as keyof typeof LOST] as ((work: () => void) => void) | undefined;
      return lose ? lose(done) : done();
    });
  }
}

describe('a request whose asynchronous context is lost', () => {
  let app: TestApp;
  beforeAll(async () => {
    app = await startTestApp({
      sandbox: false,
      settings: { WORKERS: 'false' },
      imports: [LosingModule],
      log: { write: (line: string) => void lines.push(line) },
    });
    for (const tenant of ['acme', 'globex'])
      await app.app.get(DataSource, { strict: false }).query(
        `INSERT INTO connections (id, tenant, user_id, provider, account_id, account_name, routing_key, auth_type, status)
         VALUES ($1, $2, 'u1', 'slack', 'T1', 'T1', 'T1', 'oauth2', 'connected')`,
        [uuidv7(), tenant],
      );
  });
  afterAll(() => app.close());

  async function ask(path: string): Promise<[number, unknown]> {
    const authorization = `Bearer ${await app.tokenFor({ tenant: 'acme', user: 'u1', role: 'admin' })}`;
    const response = await fetch(`${app.url}/v1/held/${path}`, { headers: { authorization } });
    return [response.status, await response.json()];
  }

  it('is answered with the rows of its caller where nothing is lost', async () => {
    expect(await ask('kept')).toEqual([200, [{ tenant: 'acme' }]]);
  });

  it.each(['none', 'another', 'late'])('reads nothing and ends with an error: %s', async (path) => {
    lines.length = 0;
    expect(await ask(path)).toEqual([500, expect.objectContaining({ code: 'internal_error' })]);
    expect(lines.join('')).toContain('asynchronous context of the request was lost');
    expect(OTHERS.principal.tenant).toBe('globex');
  });
});

/** Work of its own, in a callback of something that knows nothing of contexts. */
@Injectable()
class Background {
  seen?: readonly object[];

  constructor(
    private readonly dataSource: DataSource,
    private readonly periodic: PeriodicTasks,
  ) {}

  run(lose: boolean): Promise<void> {
    const read = async () => (this.seen = await this.dataSource.query<object[]>('SELECT tenant FROM connections ORDER BY 1'));
    return this.periodic.run('of-the-test', () => (lose ? LOST.none(read) : read()));
  }
}

describe('what the service does by itself', () => {
  let app: TestApp;
  let background: Background;
  let database: DataSource;
  let started: string;
  const rows = ['acme', 'globex'].map((tenant) => ({ tenant }));
  beforeAll(async () => {
    lines.length = 0;
    app = await startTestApp({
      sandbox: false,
      imports: [{ module: class BackgroundModule {}, imports: [JobsModule], providers: [Background] }],
      log: { write: (line: string) => void lines.push(line) },
    });
    started = lines.join('');
    background = app.app.get(Background, { strict: false });
    database = app.app.get(DataSource, { strict: false });
    for (const { tenant } of rows)
      await database.query(
        `INSERT INTO connections (id, tenant, user_id, provider, account_id, account_name, routing_key, auth_type, status)
         VALUES ($1, $2, 'u1', 'slack', 'T1', 'T1', 'T1', 'oauth2', 'connected')`,
        [uuidv7(), tenant],
      );
  });
  afterAll(() => app.close());
  beforeEach(() => {
    lines.length = 0;
    background.seen = undefined;
  });

  it('says so, and sees every row', async () => {
    await LOST.none(() => background.run(false));
    expect(background.seen).toEqual(rows);
    expect(lines.join('')).not.toContain('LostContextError');
  });

  it('is refused once its context is lost, by name and with the place in the log', async () => {
    await background.run(true);
    expect(background.seen).toBeUndefined();
    const [refused] = lines.filter((line) => line.includes('nobody knows for whom'));
    expect(JSON.parse(refused ?? '{}')).toMatchObject({
      level: 50,
      err: { type: 'LostContextError', stack: expect.stringContaining('lost-context.spec') as string },
    });
    expect(lines.join('')).toMatch(/"task":"of-the-test".*LostContextError/);
  });

  it.each<[string, (asks: DataSource) => Promise<unknown>]>([
    ['a statement', (asks) => asks.query('SELECT 1')],
    ['a repository', (asks) => asks.getRepository(ConnectionEntity).find()],
    ['a transaction', (asks) => inTransaction(asks, (manager) => manager.query('SELECT 1'))],
  ])('%s outside of everything is not run', async (_, ask) => {
    await expect(LOST.none(() => ask(database))).rejects.toThrow(LostContextError);
    await expect(LOST.none(() => asService(() => ask(database)))).resolves.toBeDefined();
  });

  it('has gone through its start without one such', () => {
    expect(started).not.toContain('LostContextError');
  });
});
