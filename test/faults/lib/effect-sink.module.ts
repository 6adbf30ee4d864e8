import { Injectable, Module } from '@nestjs/common';
import { OnWebhook, type HandlerContext, type WebhookEvent, type WebhookHandler } from '../../../src/integrations';

/** Types that the fault runs send; the sink takes them all. */
export const SINK_TABLE = 'fault_effects';

/**
 * The product's handler of the fault runs: one row an effect, without a unique key, so that an effect done twice is two rows.
 * Poison events, told by their payload, throw, hang or kill the process.
 */
@Injectable()
@OnWebhook('stripe', '*')
export class EffectSink implements WebhookHandler<{ data?: { object?: { metadata?: { poison?: string } } } }> {
  async handle(event: WebhookEvent<{ data?: { object?: { metadata?: { poison?: string } } } }>, context: HandlerContext): Promise<void> {
    await context.manager.query(`INSERT INTO ${SINK_TABLE} (event_id, connection_id, object_key, object_version, pid) VALUES ($1, $2, $3, $4, $5)`, [
      event.eventId,
      context.connection?.id ?? null,
      event.objectKey ?? null,
      event.objectVersion ?? null,
      process.pid,
    ]);
    const poison = event.payload.data?.object?.metadata?.poison;
    if (poison === 'throw') throw new Error('a poisoned event');
    if (poison === 'hang') await new Promise<never>(() => undefined);
    if (poison === 'kill') process.kill(process.pid, 'SIGKILL');
  }
}

@Module({ providers: [EffectSink] })
export class EffectSinkModule {}
