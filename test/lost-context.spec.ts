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
import { Answer, CurrentUser, requestContext, type Principal } from '../src/http-api';
import { startTestApp, type TestApp } from './support/test-app';

const OTHERS = { requestId: 'of-another', principal: { tenant: 'globex', userId: 'u9', role: 'admin' } as Principal };
const LOST = {
  none: <T>(work: () => T) => requestContext.exit(work),
  another: <T>(work: () => T) => requestContext.run(OTHERS, work),
};

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
  const lines: string[] = [];
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
