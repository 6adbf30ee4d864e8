import { Module } from '@nestjs/common';
import { IntegrationsModule } from '../integrations';
import { AssetsController } from './assets.controller';
import { IntegrationCards } from './settings/integration-cards.service';
import { IntegrationFormsController } from './settings/integration-forms.controller';
import { IntegrationsPageController } from './settings/integrations-page.controller';

/** The pages of people: their integrations, and what administrators watch. They work without a script. */
@Module({
  imports: [IntegrationsModule],
  controllers: [AssetsController, IntegrationsPageController, IntegrationFormsController],
  providers: [IntegrationCards],
})
export class UiModule {}
