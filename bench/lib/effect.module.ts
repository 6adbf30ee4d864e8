import { Module } from '@nestjs/common';
import { OnWebhook, type HandlerContext, type WebhookEvent, type WebhookHandler } from '../../src/integrations';
import { BENCH_TYPE } from './stripe-delivery';

/** The product's handler of the benchmarks: one row an effect. There is no unique key, so an effect done twice is two rows. */
@OnWebhook('stripe', BENCH_TYPE)
export class EffectHandler implements WebhookHandler {
  async handle({ eventId }: WebhookEvent, { manager }: HandlerContext): Promise<void> {
    await manager.query('INSERT INTO bench_effects (event_id) VALUES ($1)', [eventId]);
  }
}

@Module({ providers: [EffectHandler] })
export class EffectModule {}
