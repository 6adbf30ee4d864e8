import { Module } from '@nestjs/common';
import { IntegrationsModule } from '../../integrations';
import { StartPageController } from './start-page.controller';

/** The page at `/`, of the service that runs by itself: within an application of somebody else's that address is theirs. */
@Module({ imports: [IntegrationsModule], controllers: [StartPageController] })
export class StartPageModule {}
