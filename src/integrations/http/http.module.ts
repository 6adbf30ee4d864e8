import { Module } from '@nestjs/common';
import { ConnectionsModule } from '../connections';
import { OAuthModule } from '../oauth/oauth.module';
import { GovernedHttp } from './governed-http';
import { HttpChainModule } from './http-chain.module';

/** The way out for connections: the chain with the connections' own tokens. */
@Module({
  imports: [HttpChainModule, ConnectionsModule, OAuthModule],
  providers: [GovernedHttp],
  exports: [GovernedHttp],
})
export class HttpModule {}
