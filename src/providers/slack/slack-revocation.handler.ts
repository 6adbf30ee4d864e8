import { Inject, Injectable } from '@nestjs/common';
import { SETTINGS } from '../../config/config.module';
import type { Settings } from '../../config/env';
import { providerSettings } from '../../config/provider-settings';
import { IntegrationError } from '../../errors';
import {
  callSdk,
  OnWebhook,
  type ConnectionRef,
  type Fetch,
  type HandlerContext,
  type WebhookEvent,
  type WebhookHandler,
} from '../../integrations';
import { slackClient } from './slack.client';
import { SLACK, SLACK_API_BASE_URL } from './slack.facts';
import type { SlackEnvelope } from './slack-records.handlers';
import { slackSettings } from './slack.settings';

interface SlackRevocation {
  /** Users, not tokens: https://docs.slack.dev/reference/events/tokens_revoked */
  readonly tokens?: { readonly oauth?: readonly string[]; readonly bot?: readonly string[] };
}
type Envelope = SlackEnvelope<SlackRevocation>;

/**
 * The end of an installation, told in two events of no certain order. One that comes late, after the app was installed anew, must not end the new
 * connection: so Slack is asked whether what we hold still works.
 */
@Injectable()
@OnWebhook(SLACK, 'tokens_revoked', 'app_uninstalled')
export class SlackRevocationHandler implements WebhookHandler<Envelope, boolean> {
  private readonly apiBaseUrl: string;

  constructor(@Inject(SETTINGS) settings: Settings) {
    this.apiBaseUrl = providerSettings(settings, slackSettings).apiBaseUrl ?? SLACK_API_BASE_URL;
  }

  async prepare(
    { payload: { event } }: WebhookEvent<Envelope>,
    { connection, fetch }: { connection: ConnectionRef; fetch: Fetch; signal: AbortSignal },
  ): Promise<boolean> {
    if (event.type === 'tokens_revoked' && !concerns(connection, event)) return false;
    try {
      await callSdk(() => slackClient(fetch, this.apiBaseUrl).auth.test());
      return false;
    } catch (error) {
      if (
        error instanceof IntegrationError &&
        (error.code === 'needs_reauth' || error.code === 'not_connected' || error.code === 'refresh_interrupted')
      )
        return true;
      throw error;
    }
  }

  async handle({ payload: { event } }: WebhookEvent<Envelope>, context: HandlerContext, ended: boolean): Promise<void> {
    if (context.connection && ended) await context.markRevoked({ code: 'needs_reauth', providerCode: event.type });
  }
}

/** Whether the token that the connection works with was among the revoked ones. */
function concerns({ metadata }: ConnectionRef, { tokens }: SlackRevocation): boolean {
  const kinds = Array.isArray(metadata['kinds']) ? metadata['kinds'] : ['bot'];
  if (kinds.includes('bot')) return (tokens?.bot?.length ?? 0) > 0;
  return tokens?.oauth?.some((user) => user === metadata['authedUserId']) ?? false;
}
