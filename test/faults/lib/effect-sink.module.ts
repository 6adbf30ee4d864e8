import { Body, Controller, Global, Inject, Injectable, Module, Post } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import { DataSource, type EntityManager } from 'typeorm';
import { Public } from '../../../src/http-api';
import { SETTINGS } from '../../../src/config/config.module';
import type { Settings } from '../../../src/config/env';
import {
  OnWebhook,
  type ConnectionRef,
  type Fetch,
  type HandlerContext,
  type WebhookEvent,
  type WebhookHandler,
} from '../../../src/integrations';
import { PROCESSING_OPTIONS, type ProcessingOptions } from '../../../src/integrations/webhooks/processing/processing-options';
import { MonitoringScheduler } from '../../../src/integrations/monitoring/monitoring.scheduler';
import { PayloadRetention } from '../../../src/integrations/webhooks/replay/payload-retention';
import { dieAt, watchForCrash } from './crash-points';
import { SINK_TABLE } from './sink-table';

/** The type of those events whose handler calls the provider before it takes effect. */
export const CALLING_TYPE = 'radar.early_fraud_warning.created';

interface Payload {
  readonly data?: { readonly object?: { readonly metadata?: { readonly poison?: string; readonly slowMs?: string } } };
}

async function note(
  kind: 'effect' | 'call',
  event: WebhookEvent,
  { connection, manager }: { connection?: ConnectionRef; manager: EntityManager },
): Promise<void> {
  await manager.query(`INSERT INTO ${SINK_TABLE} (kind, event_id, connection_id, pid) VALUES ($1, $2, $3, $4)`, [
    kind,
    event.eventId,
    connection?.id ?? null,
    process.pid,
  ]);
}

/** The product's handler of the fault runs. Poison, told by the payload, throws, hangs or kills the process after its effect. */
@Injectable()
@OnWebhook({ provider: 'stripe', types: ['*'], evenStale: true })
export class EffectSink implements WebhookHandler<Payload> {
  async handle(event: WebhookEvent<Payload>, context: HandlerContext): Promise<void> {
    await note('effect', event, context);
    const { poison, slowMs } = event.payload.data?.object?.metadata ?? {};
    if (slowMs) await new Promise((resolve) => setTimeout(resolve, Number(slowMs)));
    if (poison === 'throw') throw new Error('a poisoned event');
    if (poison === 'hang') await new Promise<never>(() => undefined);
    if (poison === 'kill') process.kill(process.pid, 'SIGKILL');
  }
}

/** Asks the provider for something new before it takes effect, under a key that is the same each time the event is run. */
@Injectable()
@OnWebhook({ provider: 'stripe', types: [CALLING_TYPE], evenStale: true })
export class CallingSink implements WebhookHandler<Payload, boolean> {
  constructor(@Inject(SETTINGS) private readonly settings: Settings) {}

  async prepare(
    { eventId }: WebhookEvent<Payload>,
    { fetch }: { connection: ConnectionRef; fetch: Fetch; signal: AbortSignal },
  ): Promise<boolean> {
    dieAt('before-call');
    const answer = await fetch(new URL('v1/customers', this.settings.providers.stripe?.apiBaseUrl), {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded', 'idempotency-key': eventId },
      body: `name=${eventId}`,
    });
    dieAt('after-call');
    return answer.ok;
  }

  async handle(event: WebhookEvent<Payload>, context: HandlerContext): Promise<void> {
    await note('call', event, context);
  }
}

/** How far the work is, where the database has no room for a reader beside the service. Verdicts are read from the folder itself. */
@Controller('faults')
export class ProgressController {
  constructor(
    private readonly dataSource: DataSource,
    private readonly modules: ModuleRef,
  ) {}

  @Public()
  @Post('query')
  query(@Body() { sql }: { sql: string }): Promise<unknown> {
    return this.dataSource.query(sql);
  }

  /** What the clock starts every ten minutes, started now and waited for. */
  @Public()
  @Post('retention')
  async retention(): Promise<{ done: true }> {
    await this.modules.get(PayloadRetention, { strict: false }).tick();
    await this.modules.get(MonitoringScheduler, { strict: false }).sweep();
    return { done: true };
  }
}

function processingOptions(): Partial<ProcessingOptions> {
  const leaseSeconds = Number(process.env.FAULT_LEASE_S ?? 0);
  return leaseSeconds > 0 ? { leaseSeconds } : {};
}

@Global()
@Module({
  controllers: [ProgressController],
  providers: [EffectSink, CallingSink, { provide: PROCESSING_OPTIONS, useFactory: processingOptions }],
  exports: [PROCESSING_OPTIONS],
})
export class EffectSinkModule {
  constructor() {
    if (process.env.FAULT_CRASH_AT) watchForCrash();
  }
}
