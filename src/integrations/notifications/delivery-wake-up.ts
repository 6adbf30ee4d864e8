import { Injectable, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { IntegrationEvents } from '../connections';
import { WakeUp } from '../jobs';
import { Outbox } from './outbox';

/** Events are told after the commit of what the outbox was given: the moment to look. What is missed the sweeper finds. */
@Injectable()
export class DeliveryWakeUp implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private endListening?: () => void;

  constructor(
    private readonly outbox: Outbox,
    private readonly events: IntegrationEvents,
    private readonly wakeUp: WakeUp,
  ) {}

  onApplicationBootstrap(): void {
    this.endListening = this.events.on('*', () => {
      if (this.outbox.takeAdded()) this.wakeUp.wake('deliveries');
    });
  }

  beforeApplicationShutdown(): void {
    this.endListening?.();
  }
}
