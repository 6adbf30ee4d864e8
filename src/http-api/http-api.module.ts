import { Global, Module, type DynamicModule } from '@nestjs/common';
import { APP_FILTER, APP_GUARD } from '@nestjs/core';
import { TypeOrmModule } from '@nestjs/typeorm';
import { SETTINGS } from '../config/config.module';
import type { Settings } from '../config/env';
import { AccessGuard } from './principal/access.guard';
import { BearerCallers } from './principal/bearer-callers';
import { BrowserSessionEntity } from './sessions/browser-session.entity';
import { BrowserNews } from './sessions/browser-news';
import { BrowserSessions } from './sessions/browser-sessions';
import { DocsController } from './openapi/docs.controller';
import { Drain } from './edge/drain';
import { EDGE_LOGGER, type EdgeLogger } from './edge/logger';
import { EdgeLimits } from './edge/edge-limits';
import { ErrorsController } from './problems/errors.controller';
import { OpenApi } from './openapi/open-api';
import { createLogger } from './logging';
import { LiveAndMetricsController } from './live-and-metrics.controller';
import { ProblemFilter } from './problems/problem.filter';
import { Problems } from './problems/problems';
import { RouteTable } from './edge/route-table';
import { SessionController } from './sessions/session.controller';
import { TokenVerifier } from './principal/token-verifier';

/** The HTTP edge: who may come in, and what every answer has in common. Global: its guard stands before every route, and the pages ask for sessions. */
@Global()
@Module({})
export class HttpApiModule {
  /** @param logger by default one of its own, as the settings say */
  static forRoot(logger?: EdgeLogger): DynamicModule {
    return {
      module: HttpApiModule,
      imports: [TypeOrmModule.forFeature([BrowserSessionEntity])],
      controllers: [SessionController, ErrorsController, LiveAndMetricsController, DocsController],
      providers: [
        { provide: APP_GUARD, useClass: AccessGuard },
        { provide: APP_FILTER, useClass: ProblemFilter },
        { provide: EDGE_LOGGER, inject: [SETTINGS], useFactory: (settings: Settings) => logger ?? createLogger(settings) },
        TokenVerifier,
        BearerCallers,
        BrowserSessions,
        BrowserNews,
        EdgeLimits,
        OpenApi,
        Problems,
        RouteTable,
        Drain,
      ],
      exports: [TokenVerifier, BrowserSessions, BrowserNews, EDGE_LOGGER, Drain],
    };
  }
}
