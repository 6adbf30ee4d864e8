import { Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { CLOCK, type Clock } from '../../clock';
import { SETTINGS } from '../../config/config.module';
import type { Settings } from '../../config/env';
import { asService, inTransaction, type SqlRunner } from '../../database';
import { IntegrationError } from '../../errors';
import { DestinationInterest, OPERATOR } from './outbox';
import { REMOVE_OPERATOR_DESTINATIONS, STORE_OPERATOR_DESTINATION } from './operator-destination.queries';

/** Where to, as it is sent. */
export interface Target {
  readonly url: string;
  readonly body: string;
  /** None: it is not signed. */
  readonly secret: string[];
}

type AlertSettings = Pick<Settings, 'alertSlackWebhookUrl' | 'alertWebhookUrl' | 'alertWebhookSecret' | 'publicUrl'>;

/** By the address that stands in their row: the real one can be a secret, and stays in the settings. */
const CHANNELS = [
  {
    id: '01980000-0000-7000-8000-000000000001',
    name: 'Alerts to a chat',
    url: 'settings:ALERT_SLACK_WEBHOOK_URL',
    target: ({ alertSlackWebhookUrl: url, publicUrl }: AlertSettings, body: string) =>
      url && { url, body: chatMessage(body, publicUrl), secret: [] },
  },
  {
    id: '01980000-0000-7000-8000-000000000002',
    name: 'Alerts to a webhook',
    url: 'settings:ALERT_WEBHOOK_URL',
    target: ({ alertWebhookUrl: url, alertWebhookSecret: secret }: AlertSettings, body: string) =>
      url && { url, body, secret: secret ? [secret] : [] },
  },
] as const;

/** Such a one is never paused. @param url as it stands in its row */
export function isOfSettings(url: string): boolean {
  return CHANNELS.some((each) => each.url === url);
}

/** The destinations that the settings name: whoever runs the service hears of alerts there. */
@Injectable()
export class OperatorDestinations implements OnApplicationBootstrap {
  constructor(
    private readonly dataSource: DataSource,
    private readonly interest: DestinationInterest,
    @Inject(SETTINGS) private readonly settings: AlertSettings,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** Makes their rows what the settings say. Several processes that start at once do the same. */
  async onApplicationBootstrap(): Promise<void> {
    const wanted = CHANNELS.filter(({ target }) => target(this.settings, '{}'));
    const store = async (manager: SqlRunner) => {
      await manager.query(REMOVE_OPERATOR_DESTINATIONS, [OPERATOR, wanted.map(({ id }) => id)]);
      for (const { id, name, url } of wanted)
        await manager.query(STORE_OPERATOR_DESTINATION, [
          id,
          OPERATOR,
          name,
          url,
          ['alert.opened', 'alert.resolved'],
          new Date(this.clock.now()),
        ]);
    };
    await asService(() => inTransaction(this.dataSource, store));
    this.interest.forget();
  }

  /**
   * What is sent to a destination of the settings; undefined of any other.
   * @throws IntegrationError `destination_refused` where the settings do not name it any more
   */
  resolve(url: string, body: string): Target | undefined {
    const channel = CHANNELS.find((each) => each.url === url);
    if (!channel) return undefined;
    const target = channel.target(this.settings, body);
    if (!target) throw new IntegrationError('destination_refused', { notExecuted: true });
    return target;
  }
}

interface ToldAlert {
  readonly id: string;
  readonly severity: string;
  readonly tenant: string | null;
  readonly title: string;
  readonly detail: string;
  readonly nextStep: string;
}

/** As the incoming webhooks of chats take it: how bad, what, whose, what to do, and where to look. */
function chatMessage(body: string, publicUrl: string): string {
  const { type, data = {} } = JSON.parse(body) as { type?: string; data?: Partial<ToldAlert> };
  const { id, severity, tenant, title, detail, nextStep } = data;
  if (title === undefined) return JSON.stringify({ text: 'A test of Trestle: alerts arrive here.' });
  const whose = tenant ? ` (${tenant})` : '';
  const words =
    type === 'alert.resolved'
      ? [`Resolved: ${title}${whose}.`]
      : [`${severity === 'critical' ? 'Critical: ' : ''}${title}${whose}.`, detail, nextStep];
  return JSON.stringify({ text: `${escapeMarkup(words.filter(Boolean).join(' '))} ${publicUrl}/admin/alerts/${id}` });
}

/** In a chat's markup only these three are special. */
function escapeMarkup(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
