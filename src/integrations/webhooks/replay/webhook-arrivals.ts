import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { asStorageError } from '../../../database';

/** What came of a provider's deliveries of late. */
export interface Arrivals {
  /** When the newest event came that was taken; null: none is known. */
  readonly lastReceived: string | null;
  /** Deliveries of the last 24 hours that were refused, by cause. */
  readonly refused24h: Readonly<Record<string, number>>;
  /** The clock of the database, ms since the epoch. */
  readonly databaseNow: number;
}

/** Whether a provider's deliveries arrive, whoever's they are. */
@Injectable()
export class WebhookArrivals {
  constructor(private readonly dataSource: DataSource) {}

  async of(provider: string): Promise<Arrivals> {
    const [newest, refused, clock] = await Promise.all([
      this.read<{ received_at: Date }>('SELECT received_at FROM webhook_events WHERE provider = $1 ORDER BY id DESC LIMIT 1', [provider]),
      this.read<{ cause: string; count: number }>(
        `SELECT cause, sum(count)::int AS count FROM webhook_refusals WHERE provider = $1 AND minute > now() - interval '24 hours' GROUP BY cause ORDER BY 2 DESC`,
        [provider],
      ),
      this.read<{ now: Date }>('SELECT clock_timestamp() AS now', []),
    ]);
    return {
      lastReceived: newest[0]?.received_at.toISOString() ?? null,
      refused24h: Object.fromEntries(refused.map(({ cause, count }) => [cause, count])),
      databaseNow: clock[0]?.now.getTime() ?? 0,
    };
  }

  private read<T extends object>(sql: string, params: unknown[]): Promise<T[]> {
    return this.dataSource.query<T[]>(sql, params).catch((error: unknown) => {
      throw asStorageError(error);
    });
  }
}
