import { Inject, Injectable, Logger, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { CLOCK, type Clock } from '../../../clock';
import { asService } from '../../../database';
import type { RefusalCause } from '../../contract';
import { refusedDeliveries } from '../webhook-metrics';

const FLUSH_MS = 5_000;
const MINUTE_MS = 60_000;

interface Count {
  readonly provider: string;
  readonly cause: RefusalCause;
  count: number;
}

/** Counts refused deliveries by provider, cause and minute, the database's: our own clock may be what is wrong. Nothing of what a stranger sent is kept, however much it is. */
@Injectable()
export class RefusalCounter implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger('webhooks');
  private counts = new Map<string, Count>();
  /** What was logged, and in which minute. */
  private readonly logged = new Map<string, number>();
  private timer?: NodeJS.Timeout;

  constructor(
    private readonly dataSource: DataSource,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  onApplicationBootstrap(): void {
    this.timer = setInterval(() => void this.flush(), FLUSH_MS).unref();
  }

  async beforeApplicationShutdown(): Promise<void> {
    clearInterval(this.timer);
    await this.flush();
  }

  /** `provider` is one that we know, so there are only so many counters. */
  add(provider: string, cause: RefusalCause): void {
    refusedDeliveries.inc({ provider, cause });
    const key = `${provider} ${cause}`;
    const known = this.counts.get(key);
    if (known) known.count++;
    else this.counts.set(key, { provider, cause, count: 1 });
    const minute = Math.floor(this.clock.now() / MINUTE_MS);
    if (this.logged.get(key) === minute) return;
    this.logged.set(key, minute);
    // once a minute: a flood of forgeries must not become a flood of lines
    this.logger.warn(`A delivery of ${provider} was refused: ${cause}. Further ones of this minute are only counted.`);
  }

  async flush(): Promise<void> {
    const counts = [...this.counts.values()];
    if (counts.length === 0) return;
    this.counts = new Map();
    try {
      await asService(() =>
        this.dataSource.query(
          `INSERT INTO webhook_refusals AS r (provider, cause, minute, count)
           SELECT c.provider, c.cause, date_trunc('minute', now()), c.count FROM unnest($1::text[], $2::text[], $3::int[]) AS c (provider, cause, count)
           ON CONFLICT (provider, cause, minute) DO UPDATE SET count = r.count + excluded.count`,
          [counts.map((c) => c.provider), counts.map((c) => c.cause), counts.map((c) => c.count)],
        ),
      );
    } catch (error) {
      // Best effort: the metric has them, and a count is not worth holding memory while the database is away.
      this.logger.warn(`Refused deliveries could not be counted: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
}
