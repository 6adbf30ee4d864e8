import { Inject, Injectable, Logger } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { CLOCK, type Clock } from '../../clock';
import { SETTINGS } from '../../config/config.module';
import type { Settings } from '../../config/env';
import { OutgoingHttp } from '../outbound';
import { signStandardWebhook } from '../providers';

interface Due {
  id: string;
  kind: string;
  severity: string;
  provider: string | null;
  tenant: string | null;
  connection_id: string | null;
  state: string;
  title: string;
  detail: string;
  next_step: string;
}

const MOST_TRIES = 10;
const BATCH = 20;
const TIMEOUT_MS = 5_000;

/** Tells of alerts that opened or closed: to Slack and to a signed webhook, whichever is configured. The log has them already. */
@Injectable()
export class AlertNotifier {
  private readonly logger = new Logger('alerts');

  constructor(
    private readonly dataSource: DataSource,
    private readonly http: OutgoingHttp,
    @Inject(SETTINGS) private readonly settings: Settings,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** Sends what is due; a failed delivery stays due until its tries are used up. */
  async deliver(): Promise<void> {
    if (!this.settings.alertSlackWebhookUrl && !this.settings.alertWebhookUrl) return;
    for (const column of ['notified_at', 'recovery_notified_at'] as const) {
      // Claimed before it is sent: two processes do not tell the same thing, and a crash loses at most one message, never an alert.
      const [rows] = (await this.dataSource.query(
        `UPDATE alerts SET ${column} = $1, notify_attempts = notify_attempts + 1 WHERE id IN (
           SELECT id FROM alerts WHERE ${column} IS NULL AND notify_attempts < ${MOST_TRIES}
             AND ${column === 'notified_at' ? `state <> 'resolved'` : `state = 'resolved' AND notified_at IS NOT NULL`}
           ORDER BY opened_at LIMIT ${BATCH} FOR UPDATE SKIP LOCKED)
         RETURNING id, kind, severity, provider, tenant, connection_id, state, title, detail, next_step`,
        [new Date(this.clock.now())],
      )) as [Due[], number];
      for (const alert of rows) {
        const sent = await this.send(alert);
        if (!sent) await this.dataSource.query(`UPDATE alerts SET ${column} = NULL WHERE id = $1`, [alert.id]);
      }
    }
  }

  private async send(alert: Due): Promise<boolean> {
    const recovered = alert.state === 'resolved';
    const text = recovered ? `Resolved: ${alert.title}` : `${alert.title}. ${alert.detail} ${alert.next_step}`;
    const results = await Promise.all([
      this.post(this.settings.alertSlackWebhookUrl, () => ({ body: JSON.stringify({ text: escapeSlack(text) }), headers: {} })),
      this.post(this.settings.alertWebhookUrl, () => this.signed(alert, recovered)),
    ]);
    return results.every(Boolean);
  }

  private signed(alert: Due, recovered: boolean) {
    const body = JSON.stringify({
      type: recovered ? 'alert.resolved' : 'alert.opened',
      timestamp: new Date(this.clock.now()).toISOString(),
      data: {
        id: alert.id,
        kind: alert.kind,
        severity: alert.severity,
        provider: alert.provider,
        tenant: alert.tenant,
        connectionId: alert.connection_id,
        title: alert.title,
        detail: alert.detail,
        nextStep: alert.next_step,
      },
    });
    const id = `${alert.id}-${recovered ? 'resolved' : 'opened'}`;
    const secret = this.settings.alertWebhookSecret;
    return { body, headers: secret ? signStandardWebhook({ id, body, secret, timestampMs: this.clock.now() }) : {} };
  }

  private async post(url: string | undefined, make: () => { body: string; headers: Record<string, string> }): Promise<boolean> {
    if (!url) return true;
    const { body, headers } = make();
    try {
      const status = await this.http.post(url, {
        body,
        headers: { 'content-type': 'application/json', ...headers },
        timeoutMs: TIMEOUT_MS,
      });
      return status < 300;
    } catch (error) {
      // Best effort by design: it is tried again at the next tick, and the alert stands on the admin page all the same.
      this.logger.warn(`An alert could not be delivered: ${error instanceof Error ? error.message : 'unknown'}`);
      return false;
    }
  }
}

/** https://docs.slack.dev/messaging/formatting-message-text: only these three are special. */
function escapeSlack(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
