import { Module } from '@nestjs/common';
import { ConnectionsModule } from '../connections';
import { GovernedHttp } from './governed-http';
import { OutboundChainModule } from './outbound-chain.module';

/** The way out for connections: the chain with the connections' own tokens. */
@Module({
  imports: [OutboundChainModule, ConnectionsModule],
  providers: [GovernedHttp],
  exports: [GovernedHttp],
})
export class OutboundModule {}
