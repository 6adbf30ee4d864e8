import { Inject, Module, type OnApplicationShutdown } from '@nestjs/common';
import { OWN_DATA_SOURCE } from '../../database';
import { CLOCK, type Clock } from '../../clock';
import { SETTINGS } from '../../config/config.module';
import type { Settings } from '../../config/env';
import { FiguresModule } from '../figures';
import { buildChain } from './build-chain';
import { CircuitStates } from './policies/circuit-states';
import { GovernedChain } from './governed-chain';
import { LIMIT_STORE, limitStoreFor } from './policies/limits/limit-store.factory';
import type { LimitStore } from './policies/limits/limit-store';
import { DestinationHttp } from './transport/destination-http';
import { ProviderFetch } from './provider-fetch';
import { RANDOM, type Random } from './random';
import { RequestLogWriter } from './request-log/request-log-writer';
import { Transport } from './transport/transport';

/** The way out: the chain without the connections' tokens. */
@Module({
  imports: [FiguresModule],
  providers: [
    OWN_DATA_SOURCE,
    RequestLogWriter,
    DestinationHttp,
    { provide: RANDOM, useValue: Math.random },
    { provide: CircuitStates, inject: [CLOCK, RANDOM], useFactory: (clock: Clock, random: Random) => new CircuitStates(clock, random) },
    {
      provide: Transport,
      inject: [CLOCK, SETTINGS],
      useFactory: (clock: Clock, settings: Settings) => new Transport(clock, { guarded: settings.production }),
    },
    { provide: LIMIT_STORE, inject: [CLOCK, SETTINGS], useFactory: limitStoreFor },
    {
      provide: GovernedChain,
      inject: [CLOCK, RANDOM, RequestLogWriter, CircuitStates, LIMIT_STORE, Transport],
      useFactory: (
        clock: Clock,
        random: Random,
        log: RequestLogWriter,
        circuits: CircuitStates,
        limits: LimitStore,
        transport: Transport,
      ) => buildChain({ clock, random, log, circuits, limits, transport }),
    },
    ProviderFetch,
  ],
  exports: [ProviderFetch, GovernedChain, CircuitStates, RequestLogWriter, DestinationHttp],
})
export class OutboundModule implements OnApplicationShutdown {
  constructor(
    private readonly transport: Transport,
    @Inject(LIMIT_STORE) private readonly limits: LimitStore,
  ) {}

  async onApplicationShutdown(): Promise<void> {
    await this.transport.close();
    await this.limits.stop?.();
  }
}
