import { Injectable, Logger } from '@nestjs/common';
import { asService } from '../database';

export const INTEGRATION_EVENT_TYPES = [
  'connection.connected',
  'connection.needs_reauth',
  'connection.disconnected',
  'sync.completed',
  'sync.failed',
  'sync.progress',
  'webhook.dead',
  'records.changed',
] as const;
export type IntegrationEventType = (typeof INTEGRATION_EVENT_TYPES)[number];

/** Something that has happened: told after its commit, within this process. */
export interface IntegrationEvent {
  readonly type: IntegrationEventType;
  readonly tenant: string;
  readonly provider: string;
  readonly connectionId: string;
  readonly at: Date;
  /** Never a secret. */
  readonly data: Readonly<Record<string, unknown>>;
}

export type IntegrationListener = (event: IntegrationEvent) => void;

/** Tells the other parts of this process what happened. Whoever must not miss anything reads the database instead. */
@Injectable()
export class IntegrationEvents {
  private readonly logger = new Logger(IntegrationEvents.name);
  private readonly listeners = new Map<IntegrationEventType | '*', Set<IntegrationListener>>();

  /** @returns a function that ends the subscription */
  on(type: IntegrationEventType | '*', listener: IntegrationListener): () => void {
    const set = this.listeners.get(type) ?? new Set();
    this.listeners.set(type, set.add(listener));
    return () => void set.delete(listener);
  }

  /** Calls every listener at once. One that throws is logged and harms neither the others nor the emitter: the event has happened. */
  emit(event: IntegrationEvent): void {
    for (const type of [event.type, '*'] as const) {
      for (const listener of this.listeners.get(type) ?? []) {
        try {
          asService(() => listener(event)); // whoever listens works for everybody, and goes on after the request
        } catch (error) {
          this.logger.error(`A listener to ${event.type} failed: ${error instanceof Error ? error.message : String(error)}`);
        }
      }
    }
  }
}
