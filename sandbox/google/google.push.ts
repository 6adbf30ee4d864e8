import { secretText } from '../random';
import type { SandboxContext } from '../sandbox-context';
import type { Delivery } from '../webhook-sender';
import { JwtSigner } from './google.jwt';
import type { Channel, GoogleAccount } from './google.state';

export type Forgery = 'bad-signature' | 'no-signature' | 'old-timestamp' | 'future-timestamp' | 'altered-body';

export const PUBSUB_EMAIL = 'gmail-push@sandbox-project.iam.gserviceaccount.com';
export const PUBSUB_AUDIENCE = 'https://sandbox.trestle.test/webhooks/google';
const PUBSUB_ISSUER = 'https://accounts.google.com';
const SUBSCRIPTION = 'projects/sandbox-project/subscriptions/gmail-push';
/** Others are dropped: https://developers.google.com/workspace/calendar/api/guides/push */
const RETRIED = new Set([500, 502, 503, 504]);

/** Channel notifications of Calendar, Pub/Sub pushes of Gmail. */
export class GooglePush {
  private readonly stranger = new JwtSigner('stranger');

  constructor(
    private readonly context: SandboxContext,
    private readonly signer: JwtSigner,
  ) {}

  calendarChanged(account: GoogleAccount, target: string): void {
    for (const channel of account.channels.values()) {
      if (channel.target === target && channel.expiration > this.context.now())
        this.context.sender.enqueue(this.notification(account, channel, 'exists'));
    }
  }

  mailChanged(account: GoogleAccount): void {
    if (account.mailWatchUntil > this.context.now()) this.context.sender.enqueue(this.mailDelivery(account));
  }

  /** An empty body; who it is from is told by the channel's token alone. */
  notification(account: GoogleAccount, channel: Channel, state: 'sync' | 'exists' | 'not_exists', forge?: Forgery): Delivery {
    channel.messageNumber += state === 'sync' ? 1 : 1 + (channel.messageNumber % 3);
    const number = String(channel.messageNumber);
    const token =
      forge === 'bad-signature' || forge === 'altered-body' ? `${channel.token ?? ''}x` : forge === 'no-signature' ? null : channel.token;
    const id = forge === 'old-timestamp' || forge === 'future-timestamp' ? `${channel.id}-gone` : channel.id;
    return {
      provider: 'google',
      eventId: `${channel.id}:${number}`,
      type: `calendar.${state}`,
      account: account.email,
      ...(forge ? { forged: forge } : {}),
      url: channel.address,
      path: '/webhooks/google',
      isFinal: (status) => !RETRIED.has(status),
      build: () => ({
        headers: {
          'user-agent': 'APIs-Google; (+https://developers.google.com/webmasters/APIs-Google.html)',
          'x-goog-channel-id': id,
          'x-goog-channel-expiration': new Date(channel.expiration).toUTCString(),
          'x-goog-resource-id': channel.resourceId,
          'x-goog-resource-uri': channel.resourceUri,
          'x-goog-resource-state': state,
          'x-goog-message-number': number,
          ...(token === null ? {} : { 'x-goog-channel-token': token }),
        },
        body: '',
      }),
    };
  }

  /** https://cloud.google.com/pubsub/docs/authenticate-push-subscriptions */
  mailDelivery(account: GoogleAccount, forge?: Forgery): Delivery {
    const messageId = String(Math.floor(this.context.now() * 1000)) + secretText(4).replace(/\D/g, '7');
    const data = Buffer.from(JSON.stringify({ emailAddress: account.email, historyId: account.historyId })).toString('base64');
    const publishTime = new Date(this.context.now()).toISOString();
    const body = JSON.stringify({
      message: { data, messageId, message_id: messageId, publishTime, publish_time: publishTime, attributes: {} },
      subscription: SUBSCRIPTION,
    });
    return {
      provider: 'google',
      eventId: messageId,
      type: 'gmail.push',
      account: account.email,
      ...(forge ? { forged: forge } : {}),
      path: '/webhooks/google',
      build: () => ({
        headers: {
          'content-type': 'application/json',
          'user-agent': 'CloudPubSub-Google',
          ...(forge === 'no-signature' ? {} : { authorization: `Bearer ${this.idToken(forge)}` }),
        },
        body,
      }),
    };
  }

  private idToken(forge?: Forgery): string {
    const shiftS = forge === 'old-timestamp' ? -7200 : forge === 'future-timestamp' ? 7200 : 0;
    const nowS = Math.floor(this.context.now() / 1000) + shiftS;
    const claims = {
      iss: PUBSUB_ISSUER,
      aud: forge === 'altered-body' ? 'https://someone-else.test/' : PUBSUB_AUDIENCE,
      azp: '1158',
      sub: '1158',
      email: PUBSUB_EMAIL,
      email_verified: true,
      iat: nowS,
      exp: nowS + 3600,
    };
    return (forge === 'bad-signature' ? this.stranger : this.signer).sign(claims);
  }
}
