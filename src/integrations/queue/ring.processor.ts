import { Process, Processor } from '@nestjs/bull';
import type { Job } from 'bull';
import { TOPICS } from './doorbell';
import { InProcessDoorbell } from './in-process.doorbell';
import { DOORBELL_QUEUE, type Ring } from './redis.doorbell';

/** Takes other processes' rings. The job ends at once: it carries no work, so it can neither stall nor be lost. */
@Processor(DOORBELL_QUEUE)
export class RingProcessor {
  constructor(private readonly local: InProcessDoorbell) {}

  @Process({ concurrency: 4 })
  take({ data }: Job<Ring>): Promise<void> {
    const topic = TOPICS.find((known) => known === data.topic);
    if (topic) this.local.ring(topic);
    return Promise.resolve();
  }
}
