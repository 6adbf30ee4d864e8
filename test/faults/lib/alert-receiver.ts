import { HttpReceiver, type Received } from '../../../src/integrations/notifications/testing/http-receiver';
import { atEnd } from './clean-up';

/** An alert as a destination was told of it. */
export interface AlertSeen {
  readonly type: 'alert.opened' | 'alert.resolved';
  readonly id: string;
  readonly kind: string;
  readonly severity: string;
  readonly tenant: string | null;
}

/** Both destinations of alerts that settings can name, with a ledger of what they took. Ended by `cleanUp`. */
export class AlertReceiver {
  private constructor(private readonly http: HttpReceiver) {}

  static async start(): Promise<AlertReceiver> {
    const http = await HttpReceiver.start();
    atEnd(() => http.close());
    return new AlertReceiver(http);
  }

  get env(): Record<string, string> {
    return { ALERT_WEBHOOK_URL: this.http.url('/webhook'), ALERT_SLACK_WEBHOOK_URL: this.http.url('/chat') };
  }

  /** With what the chat answers from now on; what is not 2xx is not taken. */
  chatAnswers(status: number): void {
    this.http.answers.set('/chat', status);
  }

  /** In the order in which the webhook took them; a repetition of a message stands there again. */
  atWebhook(): AlertSeen[] {
    return this.http.at('/webhook').map(alertIn);
  }

  /** The texts that came to the chat, taken or not. */
  atChat(): string[] {
    return this.http.at('/chat').map(({ body }) => (JSON.parse(body.toString()) as { text: string }).text);
  }

  forgetChat(): void {
    const others = this.http.received.filter(({ path }) => path !== '/chat');
    this.http.received.splice(0, this.http.received.length, ...others);
  }
}

function alertIn({ body }: Received): AlertSeen {
  const { type, data } = JSON.parse(body.toString()) as { type: AlertSeen['type']; data: Omit<AlertSeen, 'type'> };
  return { type, id: data.id, kind: data.kind, severity: data.severity, tenant: data.tenant };
}
