import { Inject, Injectable, Logger } from '@nestjs/common';
import { CLOCK, type Clock } from '../../../clock';
import { withDeadline } from '../../../deadline';
import type { DeliveryReply } from '../../contract';
import { HandlerRegistry } from '../processing/handler.registry';
import type { NewDelivery } from './inbox-insert';

/** Providers show a failure after 3 s; the way there and back takes some of it. */
const DEADLINE_MS = 2_500;

/** What handlers say at once to somebody who waits for it. The event is stored by then, so nothing is lost where they fail. */
@Injectable()
export class ImmediateAnswers {
  private readonly logger = new Logger('webhooks');

  constructor(
    private readonly handlers: HandlerRegistry,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** The first handler's that has something to say; undefined: an empty answer. Never throws. */
  async ask({ provider, payload, events }: NewDelivery): Promise<DeliveryReply | undefined> {
    for (const { eventId, type } of events) {
      for (const { name, handler } of this.handlers.handlersOf(provider, type)) {
        if (!handler.answer) continue;
        const event = { provider, eventId, type, headers: payload.headers, payload: payload.value };
        const work = (signal: AbortSignal) => Promise.resolve(handler.answer?.(event, { signal }));
        try {
          const said = await withDeadline(this.clock, DEADLINE_MS, work);
          if (said !== undefined) return replyOf(said);
        } catch (error) {
          const reason = error instanceof Error ? error.message : String(error);
          this.logger.warn(`${name} could not answer ${type} of ${provider} at once: ${reason}`);
        }
      }
    }
    return undefined;
  }
}

function replyOf(said: unknown): DeliveryReply {
  return typeof said === 'string'
    ? { body: said, contentType: 'text/plain; charset=utf-8' }
    : { body: JSON.stringify(said), contentType: 'application/json; charset=utf-8' };
}
