import { Global, Module, type DynamicModule, type Type } from '@nestjs/common';
import { APP_FILTER, APP_GUARD } from '@nestjs/core';
import { TypeOrmModule } from '@nestjs/typeorm';
import { DATABASE, OWN_DATA_SOURCE } from '../database';
import { SETTINGS } from '../config/config.module';
import type { Settings } from '../config/env';
import { AccessGuard } from './principal/access.guard';
import { type AsyncPrincipals, PRINCIPAL_RESOLVER } from './principal/principal-resolver';
import { BearerCallers } from './principal/bearer-callers';
import { BrowserSessionEntity } from './sessions/browser-session.entity';
import { BrowserNews } from './sessions/browser-news';
import { BrowserSessions } from './sessions/browser-sessions';
import { BrowserTokenController } from './sessions/browser-token.controller';
import { BrowserTokens } from './sessions/browser-tokens';
import { CrossOrigin } from './edge/cross-origin';
import { DocsController } from './openapi/docs.controller';
import { Drain } from './edge/drain';
import { EDGE_LOGGER, type EdgeLogger } from './edge/logger';
import { EdgeLimits } from './edge/edge-limits';
import { ErrorsController } from './problems/errors.controller';
import { PageFrames } from './frame/page-frames';
import { OpenApi } from './openapi/open-api';
import { createLogger } from './logging';
import { LiveAndMetricsController } from './live-and-metrics.controller';
import { ProblemFilter } from './problems/problem.filter';
import { Problems } from './problems/problems';
import { RouteTable } from './edge/route-table';
import { SessionController } from './sessions/session.controller';
import { TokenVerifier } from './principal/token-verifier';

/** Injection token: where Trestle is a part of somebody else's application, the classes of its modules (`guest`); else null. */
export const GUEST_MODULES = Symbol('GuestModules');

export interface HttpApiParts {
  /** Default: one of its own, as the settings say. */
  readonly logger?: EdgeLogger;
  /** Trestle's modules within somebody else's application: guard and filter are bound to their controllers alone (`bindToControllers`). Default: they stand before every route. */
  readonly guest?: readonly Type[];
  /** Whom a call is from, where the application around Trestle knows it by itself. */
  readonly principals?: AsyncPrincipals;
}

/** The HTTP edge: who may come in, and what every answer has in common. Global: its guard stands before every route, and the pages ask for sessions. */
@Global()
@Module({})
export class HttpApiModule {
  static forRoot({ logger, guest, principals }: HttpApiParts = {}): DynamicModule {
    return {
      module: HttpApiModule,
      imports: [...(principals?.imports ?? []), TypeOrmModule.forFeature([BrowserSessionEntity], DATABASE)],
      controllers: [SessionController, BrowserTokenController, ErrorsController, LiveAndMetricsController, DocsController],
      providers: [
        OWN_DATA_SOURCE,
        ...(guest
          ? []
          : [
              { provide: APP_GUARD, useClass: AccessGuard },
              { provide: APP_FILTER, useExisting: ProblemFilter },
            ]),
        { provide: GUEST_MODULES, useValue: guest ?? null },
        { provide: PRINCIPAL_RESOLVER, inject: principals?.inject, useFactory: principals?.useFactory ?? (() => null) },
        { provide: EDGE_LOGGER, inject: [SETTINGS], useFactory: (settings: Settings) => logger ?? createLogger(settings) },
        TokenVerifier,
        BearerCallers,
        BrowserSessions,
        BrowserTokens,
        BrowserNews,
        CrossOrigin,
        EdgeLimits,
        OpenApi,
        PageFrames,
        ProblemFilter,
        Problems,
        RouteTable,
        Drain,
      ],
      exports: [
        TokenVerifier,
        BearerCallers,
        BrowserSessions,
        BrowserTokens,
        CrossOrigin,
        BrowserNews,
        PageFrames,
        EdgeLimits,
        EDGE_LOGGER,
        Drain,
        Problems,
        RouteTable,
      ],
    };
  }
}
