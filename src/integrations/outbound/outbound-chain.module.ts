import { Global, Inject, Module, type OnApplicationShutdown } from '@nestjs/common';
import { CLOCK, type Clock } from '../../clock';
import { SETTINGS } from '../../config/config.module';
import type { Settings } from '../../config/env';
import { PROVIDER_FETCH } from '../connections';
import { buildChain } from './build-chain';
import { CircuitStates } from './policies/circuit-states';
import { GovernedChain } from './governed-chain';
import { LIMIT_STORE, limitStoreFor } from './policies/limits/limit-store.factory';
import type { LimitStore } from './policies/limits/limit-store';
import { OutgoingHttp } from './transport/outgoing-http';
import { ProviderFetchService } from './provider-fetch.service';
import { RANDOM, type Random } from './random';
import { RequestLogWriter } from './request-log/request-log-writer';
import { Transport } from './transport/transport';

/** The chain without the connections' tokens; global, so that the token service can use it without knowing this folder. */
@Global()
@Module({
  providers: [
    RequestLogWriter,
    OutgoingHttp,
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
    ProviderFetchService,
    { provide: PROVIDER_FETCH, useExisting: ProviderFetchService },
  ],
  exports: [PROVIDER_FETCH, GovernedChain, CircuitStates, RequestLogWriter, OutgoingHttp],
})
export class OutboundChainModule implements OnApplicationShutdown {
  constructor(
    private readonly transport: Transport,
    @Inject(LIMIT_STORE) private readonly limits: LimitStore,
  ) {}

  async onApplicationShutdown(): Promise<void> {
    await this.transport.close();
    await this.limits.stop?.();
  }
}
