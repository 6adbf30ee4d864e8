import { Inject, Module } from '@nestjs/common';
import { SETTINGS } from '../../config/config.module';
import type { Settings } from '../../config/env';
import { providerSettings } from '../../config/provider-settings';
import { IntegrationsModule, OperationRegistry, ProviderRegistry, type Provider } from '../../integrations';
import { GoogleAuthService } from './google-auth.service';
import { GoogleCalendarSync } from './google-calendar.sync';
import { GoogleMailSync } from './google-mail.sync';
import { GoogleCalendarsHandler, GoogleEventsHandler, GoogleMailHandler } from './google-notifications.handlers';
import { GoogleSyncService } from './google-sync.service';
import { GoogleWebhooksService } from './google-webhooks.service';
import { GoogleController } from './google.controller';
import { GOOGLE, googleHttp, googleOAuth2, googleRoots } from './google.facts';
import { GoogleCalendarOperations } from './google-calendar.operations';
import { GoogleMailOperations } from './google-mail.operations';
import { GOOGLE_MENDED_BY } from './google.faults';
import { GoogleService } from './google.service';
import { googleSettings } from './google.settings';
import translations from './google.translations.json';

@Module({
  imports: [IntegrationsModule],
  controllers: [GoogleController],
  providers: [
    GoogleAuthService,
    GoogleCalendarSync,
    GoogleMailSync,
    GoogleSyncService,
    GoogleWebhooksService,
    GoogleService,
    GoogleCalendarOperations,
    GoogleMailOperations,
    GoogleEventsHandler,
    GoogleCalendarsHandler,
    GoogleMailHandler,
  ],
  exports: [GoogleService],
})
export class GoogleModule {
  static readonly settings = googleSettings;

  constructor(
    registry: ProviderRegistry,
    @Inject(SETTINGS) settings: Settings,
    auth: GoogleAuthService,
    sync: GoogleSyncService,
    webhooks: GoogleWebhooksService,
    operations: OperationRegistry,
    calendar: GoogleCalendarOperations,
    mail: GoogleMailOperations,
  ) {
    operations.register([...calendar.all, ...mail.all]);
    registry.register(googleProvider(settings, { auth, sync, webhooks }));
  }
}

/** What Google is, all in one place. */
export function googleProvider(settings: Settings, services: Pick<Provider, 'auth' | 'sync' | 'webhooks'>): Provider {
  const own = providerSettings(settings, googleSettings);
  const oauth2 = googleOAuth2(own);
  const roots = googleRoots(own);
  return {
    key: GOOGLE,
    name: 'Google',
    translations,
    configured: Boolean(own.clientId && own.clientSecret),
    apiBaseUrl: roots.calendar,
    otherOrigins: [roots.gmail, oauth2.userinfoUrl ?? roots.calendar].map((url) => new URL(url).origin),
    oauth2,
    ...services,
    http: googleHttp(roots.calendar),
    mendedBy: GOOGLE_MENDED_BY,
    actions: [
      'emails.send',
      'emails.search',
      'emails.get',
      'events.list',
      'events.create',
      'events.update',
      'events.delete',
      'freeBusy.query',
    ],
  };
}
