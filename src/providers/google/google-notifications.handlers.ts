import { Injectable } from '@nestjs/common';
import { OnWebhook, type HandlerContext, type WebhookEvent, type WebhookHandler } from '../../integrations';
import { GOOGLE } from './google.facts';

/** A notification says that something changed, not what: a burst of them becomes one incremental run. */
@Injectable()
@OnWebhook(GOOGLE, 'calendar.exists')
export class GoogleEventsHandler implements WebhookHandler<unknown, void> {
  async handle(_event: WebhookEvent, context: HandlerContext): Promise<void> {
    if (context.connection) await context.requestSync(['events']);
  }
}

/** A calendar came, went or changed its name; its events come and go with it. */
@Injectable()
@OnWebhook(GOOGLE, 'calendar.not_exists', 'calendarList.exists', 'calendarList.not_exists')
export class GoogleCalendarsHandler implements WebhookHandler<unknown, void> {
  async handle(_event: WebhookEvent, context: HandlerContext): Promise<void> {
    if (context.connection) await context.requestSync(['calendars', 'events']);
  }
}

@Injectable()
@OnWebhook(GOOGLE, 'gmail.push')
export class GoogleMailHandler implements WebhookHandler<unknown, void> {
  async handle(_event: WebhookEvent, context: HandlerContext): Promise<void> {
    if (context.connection) await context.requestSync(['messages']);
  }
}
