import { createHmac } from 'node:crypto';
import { secretText } from '../random';
import type { SandboxContext } from '../sandbox-context';
import type { Json } from '../sandbox.types';
import type { Delivery } from '../webhook-sender';
import { eventContextOf } from './slack.event-context';
import type { SlackState } from './slack.state';

const AFTER_THE_END = new Set(['tokens_revoked', 'app_uninstalled']);

export type Forgery = 'bad-signature' | 'no-signature' | 'old-timestamp' | 'future-timestamp' | 'altered-body';

/** https://docs.slack.dev/authentication/verifying-requests-from-slack */
export function slackHeaders(secret: string, body: string, nowMs: number, forge?: Forgery): Record<string, string> {
  const shiftS = forge === 'old-timestamp' ? -301 : forge === 'future-timestamp' ? 301 : 0;
  const timestamp = String(Math.floor(nowMs / 1000) + shiftS);
  const key = forge === 'bad-signature' ? `${secret}x` : secret;
  const signature = `v0=${createHmac('sha256', key).update(`v0:${timestamp}:${body}`).digest('hex')}`;
  return {
    'content-type': 'application/json',
    'user-agent': 'Slackbot 1.0 (+https://api.slack.com/robots)',
    'x-slack-request-timestamp': timestamp,
    ...(forge === 'no-signature' ? {} : { 'x-slack-signature': signature }),
  };
}

/** Builds and sends Events API deliveries. */
export class SlackEvents {
  constructor(
    private readonly context: SandboxContext,
    private readonly state: SlackState,
    private readonly isInstalled: (teamId: string) => boolean,
  ) {}

  /** Sends an event of an installed team; the two that tell of the end of an installation come after it. */
  emit(teamId: string, event: Json): void {
    if (!AFTER_THE_END.has(String(event['type'])) && !this.isInstalled(teamId)) return;
    this.context.sender.enqueue(this.delivery(teamId, event));
  }

  delivery(teamId: string, event: Json, options: { forge?: Forgery; eventId?: string; sharedWith?: readonly string[] } = {}): Delivery {
    const eventId = options.eventId ?? `Ev${secretText(10).toUpperCase()}`;
    const payload = JSON.stringify(this.envelope(teamId, event, eventId, options.sharedWith));
    return this.raw(payload, eventId, String(event['type']), teamId, options.forge);
  }

  urlVerification(forge?: Forgery): Delivery {
    const payload = JSON.stringify({ token: 'sandbox', challenge: secretText(32), type: 'url_verification' });
    return this.raw(payload, 'url_verification', 'url_verification', undefined, forge);
  }

  /** A command that somebody types, told by its slash, or an interaction: a form, whose sender waits for the answer. */
  interaction(teamId: string, type: string, about: Json, forge?: Forgery): Delivery {
    const userId = this.state.teams.get(teamId)?.botUserId ?? 'U0UNKNOWN';
    const triggerId = secretText(24);
    const common = { api_app_id: this.state.appId, token: 'sandbox', ...about, trigger_id: triggerId };
    const form: Record<string, string> = type.startsWith('/')
      ? { ...textsOf(common), command: type, team_id: teamId, user_id: userId }
      : { payload: JSON.stringify({ ...common, type, team: { id: teamId }, user: { id: userId, team_id: teamId } }) };
    return this.raw(new URLSearchParams(form).toString(), triggerId, type, teamId, forge, 'application/x-www-form-urlencoded');
  }

  private raw(
    payload: string,
    eventId: string,
    type: string,
    account: string | undefined,
    forge?: Forgery,
    contentType = 'application/json',
  ): Delivery {
    let reason = '';
    return {
      provider: 'slack',
      eventId,
      type,
      ...(account ? { account } : {}),
      ...(forge ? { forged: forge } : {}),
      path: '/webhooks/slack',
      build: (attempt) => {
        const signed = slackHeaders(this.context.secrets.webhookSecret, payload, this.context.now(), forge);
        const headers = { ...signed, 'content-type': contentType };
        if (attempt > 0) reason = 'http_error';
        return {
          headers: attempt > 0 ? { ...headers, 'x-slack-retry-num': String(attempt), 'x-slack-retry-reason': reason } : headers,
          body:
            forge === 'altered-body'
              ? payload.replace(/"event_id":"Ev/, '"event_id":"Ew') + (payload.includes('"event_id":"Ev') ? '' : ' ')
              : payload,
        };
      },
    };
  }

  private envelope(teamId: string, event: Json, eventId: string, sharedWith: readonly string[] = []): Json {
    const team = this.state.teams.get(teamId);
    return {
      token: 'sandbox',
      team_id: teamId,
      context_team_id: teamId,
      context_enterprise_id: null,
      api_app_id: this.state.appId,
      event,
      type: 'event_callback',
      event_id: eventId,
      event_time: Math.floor(this.context.now() / 1000),
      authorizations: [
        { enterprise_id: null, team_id: teamId, user_id: team?.botUserId ?? 'U0UNKNOWN', is_bot: true, is_enterprise_install: false },
      ],
      is_ext_shared_channel: sharedWith.length > 0,
      event_context: eventContextOf([teamId, ...sharedWith]),
    };
  }
}

/** The fields of a form are texts. */
function textsOf(fields: Json): Record<string, string> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [name, typeof value === 'string' ? value : JSON.stringify(value)]),
  );
}
