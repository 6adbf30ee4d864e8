import { Module } from '@nestjs/common';
import { ConnectionsModule } from '../connections';
import { OAuthModule } from '../oauth/oauth.module';
import { GovernedHttp } from './governed-http';
import { HttpChainModule } from './http-chain.module';
import { ProxyController } from './proxy.controller';

/** The way out for connections: the chain with the connections' own tokens. */
@Module({
  imports: [HttpChainModule, ConnectionsModule, OAuthModule],
  controllers: [ProxyController],
  providers: [GovernedHttp],
  exports: [GovernedHttp],
})
export class HttpModule {}
