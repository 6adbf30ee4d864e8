import { Global, Module, type DynamicModule } from '@nestjs/common';
import { APP_FILTER, APP_GUARD } from '@nestjs/core';
import type { Settings } from '../config/env';
import { AccessGuard } from './access.guard';
import { BrowserSessions } from './browser-sessions';
import { DocsController } from './docs.controller';
import { Drain } from './drain';
import { EDGE_LOGGER, type EdgeLogger } from './edge-logger';
import { EdgeLimits } from './edge-limits';
import { ErrorsController } from './errors.controller';
import { OpenApi } from './open-api';
import { OperationsController } from './operations.controller';
import { ProblemFilter } from './problem.filter';
import { Problems } from './problems';
import { RouteTable } from './route-table';
import { SessionController } from './session.controller';
import { TokenVerifier } from './token-verifier';

/** The HTTP edge: who may come in, and what every answer has in common. */
@Global()
@Module({})
export class ApiModule {
  static with(settings: Pick<Settings, 'docs'>, logger: EdgeLogger): DynamicModule {
    return {
      module: ApiModule,
      controllers: [SessionController, ErrorsController, OperationsController, ...(settings.docs ? [DocsController] : [])],
      providers: [
        { provide: APP_GUARD, useClass: AccessGuard },
        { provide: APP_FILTER, useClass: ProblemFilter },
        { provide: EDGE_LOGGER, useValue: logger },
        TokenVerifier,
        BrowserSessions,
        EdgeLimits,
        OpenApi,
        Problems,
        RouteTable,
        Drain,
      ],
      exports: [TokenVerifier, BrowserSessions, EDGE_LOGGER, Drain],
    };
  }
}
