import { Inject, Injectable, Logger } from '@nestjs/common';
import { z } from 'zod';
import { SETTINGS } from '../../config/config.module';
import type { Settings } from '../../config/env';
import { providerSettings } from '../../config/provider-settings';
import { findIntegrationError, IntegrationError } from '../../errors';
import {
  OnWebhook,
  ProviderFetch,
  ProviderRegistry,
  type HandlerContext,
  type WebhookEvent,
  type WebhookHandler,
} from '../../integrations';
import { SLACK, SLACK_API_BASE_URL } from './slack.facts';
import { slackSettings } from './slack.settings';
import { authorization, eventCallback, eventsFor, WHO_ELSE, type Authorization } from './slack-events';

const METHOD = 'apps.event.authorizations.list';
const PAGE = 200;
/** Beyond this nobody is looked for: 10,000 authorizations of one event. */
const MAX_PAGES = 50;
const DEADLINE_MS = 10_000;

const answer = z.object({
  ok: z.literal(true),
  authorizations: z.array(authorization),
  response_metadata: z.object({ next_cursor: z.string().optional() }).nullish(),
});

/**
 * A delivery names one authorization only, of all that may see the event: an app token is told the others. Until then, and where it cannot be
 * asked, the event is with those whom the delivery names. https://docs.slack.dev/reference/methods/apps.event.authorizations.list
 */
@Injectable()
@OnWebhook(SLACK, WHO_ELSE)
export class SlackAuthorizationsHandler implements WebhookHandler<unknown, readonly Authorization[]> {
  private readonly logger = new Logger('slack');
  private readonly appToken?: string;
  private readonly apiBaseUrl: string;
  /** Why it was refused last: told once. */
  private told?: string;

  constructor(
    private readonly providerFetch: ProviderFetch,
    private readonly registry: ProviderRegistry,
    @Inject(SETTINGS) settings: Settings,
  ) {
    const own = providerSettings(settings, slackSettings);
    this.appToken = own.appToken;
    this.apiBaseUrl = own.apiBaseUrl ?? SLACK_API_BASE_URL;
  }

  /** Of the app: an event that is asked about belongs to no connection. What is passing is tried again with the event. */
  async prepareAlone({ payload }: WebhookEvent, { signal }: { signal: AbortSignal }): Promise<readonly Authorization[]> {
    const { event_context: context } = eventCallback.parse(payload);
    if (this.appToken === undefined || !context) return [];
    try {
      const all = await this.list(context, this.appToken, signal);
      this.told = undefined;
      return all;
    } catch (error) {
      const found = findIntegrationError(error);
      if (!found || found.retryable) throw error;
      this.tell(found);
      return [];
    }
  }

  async handle({ payload }: WebhookEvent, context: HandlerContext, authorizations: readonly Authorization[]): Promise<void> {
    await context.alsoFor(eventsFor(eventCallback.parse(payload), authorizations));
  }

  private async list(eventContext: string, accessToken: string, signal: AbortSignal): Promise<Authorization[]> {
    const fetch = this.providerFetch.fetchWithoutToken(this.registry.get(SLACK), {
      accessToken,
      deadlineMs: DEADLINE_MS,
      signal,
      operation: METHOD,
    });
    const all: Authorization[] = [];
    let cursor = '';
    for (let page = 0; page < MAX_PAGES; page++) {
      const body = new URLSearchParams({ event_context: eventContext, limit: String(PAGE), ...(cursor && { cursor }) });
      const parsed = answer.safeParse(await (await fetch(`${this.apiBaseUrl}${METHOD}`, { method: 'POST', body })).json());
      if (!parsed.success)
        throw new IntegrationError('provider_bad_answer', { provider: SLACK, detail: 'Slack did not say who may see an event.' });
      all.push(...parsed.data.authorizations);
      cursor = parsed.data.response_metadata?.next_cursor ?? '';
      if (!cursor) break;
    }
    return all;
  }

  private tell({ code, providerCode }: IntegrationError): void {
    const reason = providerCode ?? code;
    if (reason === this.told) return;
    this.told = reason;
    const msg =
      'Slack does not tell who else may see an event: it goes to those whom its delivery names, and to no others. Look at SLACK_APP_TOKEN (scope authorizations:read).';
    this.logger.error({ msg, reason });
  }
}
