import { Inject, Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { CLOCK, type Clock } from '../../clock';
import { SETTINGS } from '../../config/config.module';
import type { Settings } from '../../config/env';

const DAY_MS = 24 * 60 * 60 * 1000;
/** Rows a statement: short enough that nobody waits for its locks. */
const BATCH = 5_000;
const MOST_BATCHES = 200;

/** Minute sums serve 24 hours of health; a few days more let an administrator compare. */
const BUCKET_DAYS = 7;

/** Deletes what is older than it is kept for, in short statements. */
@Injectable()
export class Retention {
  constructor(
    private readonly dataSource: DataSource,
    @Inject(SETTINGS) private readonly settings: Settings,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  async sweep(_signal?: AbortSignal): Promise<void> {
    const { retentionDays } = this.settings;
    await this.deleteOld('request_log', 'at', retentionDays);
    await this.deleteOld('request_buckets', 'minute', Math.min(BUCKET_DAYS, retentionDays));
    await this.deleteOld('webhook_refusals', 'minute', retentionDays);
    await this.deleteOld('alerts', 'resolved_at', retentionDays);
    await this.deleteOld('outbox', 'created_at', retentionDays); // with its deliveries
    await this.deleteOld('destination_secrets', 'expires_at', 0);
    await this.deleteOld('record_change_batches', 'flush_at', 1); // nobody wants to hear of them any more
  }

  private async deleteOld(table: string, column: string, days: number): Promise<void> {
    const before = new Date(this.clock.now() - days * DAY_MS);
    for (let batch = 0; batch < MOST_BATCHES; batch++) {
      const [, deleted] = (await this.dataSource.query(
        `DELETE FROM ${table} WHERE ctid = ANY(ARRAY(SELECT ctid FROM ${table} WHERE ${column} < $1 LIMIT ${BATCH}))`,
        [before],
      )) as [unknown, number];
      if (deleted < BATCH) return;
    }
  }
}
