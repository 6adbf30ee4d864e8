import { Inject, Module } from '@nestjs/common';
import { SETTINGS } from '../../config/config.module';
import type { Settings } from '../../config/env';
import { providerSettings } from '../../config/provider-settings';
import { IntegrationsModule, OperationRegistry, ProviderRegistry, type Provider } from '../../integrations';
import { SlackAuthService } from './slack-auth.service';
import { SlackAuthorizationsHandler } from './slack-authorizations.handler';
import { SlackChannelHandler, SlackMessageHandler, SlackRateLimitedHandler, SlackUserHandler } from './slack-records.handlers';
import { SlackRevocationHandler } from './slack-revocation.handler';
import { SlackSyncService } from './slack-sync.service';
import { SlackWebhooksService } from './slack-webhooks.service';
import { SlackController } from './slack.controller';
import { SLACK, SLACK_API_BASE_URL, slackHttp, slackOAuth2 } from './slack.facts';
import { SLACK_MENDED_BY } from './slack.faults';
import { SlackOperations } from './slack.operations';
import { SlackService } from './slack.service';
import { slackSettings } from './slack.settings';
import translations from './slack.translations.json';

@Module({
  imports: [IntegrationsModule],
  controllers: [SlackController],
  providers: [
    SlackAuthService,
    SlackSyncService,
    SlackWebhooksService,
    SlackService,
    SlackOperations,
    SlackMessageHandler,
    SlackChannelHandler,
    SlackUserHandler,
    SlackRateLimitedHandler,
    SlackRevocationHandler,
    SlackAuthorizationsHandler,
  ],
  exports: [SlackService],
})
export class SlackModule {
  static readonly settings = slackSettings;

  constructor(
    registry: ProviderRegistry,
    @Inject(SETTINGS) settings: Settings,
    auth: SlackAuthService,
    sync: SlackSyncService,
    webhooks: SlackWebhooksService,
    operations: OperationRegistry,
    own: SlackOperations,
  ) {
    operations.register(own.all);
    registry.register(slackProvider(settings, { auth, sync, webhooks }));
  }
}

/** What Slack is, all in one place. */
export function slackProvider(settings: Settings, services: Pick<Provider, 'auth' | 'sync' | 'webhooks'>): Provider {
  const own = providerSettings(settings, slackSettings);
  const apiBaseUrl = own.apiBaseUrl ?? SLACK_API_BASE_URL;
  return {
    key: SLACK,
    name: 'Slack',
    translations,
    configured: Boolean(own.clientId && own.clientSecret),
    apiBaseUrl,
    oauth2: slackOAuth2(own, apiBaseUrl),
    ...services,
    http: slackHttp(apiBaseUrl),
    mendedBy: SLACK_MENDED_BY,
    actions: ['messages.send', 'channels.list', 'replies.list'],
  };
}
