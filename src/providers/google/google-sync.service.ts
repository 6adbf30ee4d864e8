import { Injectable } from '@nestjs/common';
import type { ProviderSync, SyncResource } from '../../integrations';
import { GoogleCalendarSync } from './google-calendar.sync';
import { GoogleMailSync } from './google-mail.sync';

/** Calendars, the events of each, and mail. */
@Injectable()
export class GoogleSyncService implements ProviderSync {
  readonly resources: readonly SyncResource[];

  constructor(calendar: GoogleCalendarSync, mail: GoogleMailSync) {
    this.resources = [calendar.calendars, calendar.events, mail.messages];
  }
}
