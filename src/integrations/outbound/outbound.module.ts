import { Module } from '@nestjs/common';
import { ConnectionsModule, PersonalData } from '../connections';
import { OUTBOUND_TABLES } from './held-tables';
import { GovernedHttp } from './governed-http';
import { OutboundChainModule } from './outbound-chain.module';

/** The way out for connections: the chain with the connections' own tokens. */
@Module({
  imports: [OutboundChainModule, ConnectionsModule],
  providers: [GovernedHttp],
  exports: [GovernedHttp],
})
export class OutboundModule {
  constructor(data: PersonalData) {
    data.register(OUTBOUND_TABLES);
  }
}
