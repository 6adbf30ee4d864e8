import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { asTenant } from '../../database';
import { EVERYBODY, SLOT_MS, SUMS_BY_HOUR, SUMS_BY_PROVIDER } from './figure.queries';
import { addTo, type Histogram } from './histogram';

/** What happened at one provider within some time. */
export interface Figures {
  /** Calls that count for the health of the provider. */
  readonly ok: number;
  readonly failed: number;
  /** Of the calls, those that were answered with 429, or how the provider says that. */
  readonly limited: number;
  readonly lastOkAt: Date | null;
  readonly lastFailedAt: Date | null;
  /** Of calls that were sent, ms. */
  readonly latency: Histogram;
  /** Webhook events that took effect, and how long that was after they were received, ms. */
  readonly events: number;
  readonly lag: Histogram;
  /** Tries of webhook events that failed in their handlers. */
  readonly eventFailures: number;
  /** Deliveries that destinations took, and how long that was after what they tell of, ms. */
  readonly delivered: number;
  readonly deliveryLag: Histogram;
}

interface Row {
  provider: string;
  hour?: number;
  ok: number;
  failed: number;
  limited: number;
  last_ok_at: Date | null;
  last_failed_at: Date | null;
  events: number;
  event_failures: number;
  delivered: number;
  latency: Steps | null;
  lag: Steps | null;
  delivery_lag: Steps | null;
}

type Steps = [step: number, count: number][];

const HOUR_MS = 3_600_000;

/** Reads the buckets: at a cost of the time that is asked for, and not of what happened in it. */
@Injectable()
export class FigureReader {
  constructor(private readonly dataSource: DataSource) {}

  /** By the provider's key; who had nothing is left out. @param tenant undefined: of all (an operator) @param since ms; the slot that it lies in is within */
  async since(tenant: string | undefined, since: number, provider?: string): Promise<ReadonlyMap<string, Figures>> {
    const rows = await this.read(SUMS_BY_PROVIDER, tenant, since - (since % SLOT_MS), provider);
    return new Map(rows.map((row) => [row.provider, figuresOf(row)]));
  }

  /** By the provider's key, then by hours since a full hour. */
  async hourly(tenant: string | undefined, firstHour: number): Promise<ReadonlyMap<string, ReadonlyMap<number, Figures>>> {
    const found = new Map<string, Map<number, Figures>>();
    for (const row of await this.read(SUMS_BY_HOUR, tenant, firstHour * HOUR_MS)) {
      const hours = found.get(row.provider) ?? new Map<number, Figures>();
      found.set(row.provider, hours.set(row.hour ?? 0, figuresOf(row)));
    }
    return found;
  }

  private read(sql: string, tenant: string | undefined, since: number, provider?: string): Promise<Row[]> {
    return asTenant(this.dataSource, tenant).query<Row>(sql, [tenant ?? EVERYBODY, new Date(since), provider ?? null]);
  }
}

export const NO_FIGURES: Figures = {
  ...{ ok: 0, failed: 0, limited: 0, lastOkAt: null, lastFailedAt: null, latency: [] },
  ...{ events: 0, lag: [], eventFailures: 0, delivered: 0, deliveryLag: [] },
};

/** Of several providers, or hours, together. */
export function sumOf(all: Iterable<Figures>): Figures {
  const sum = { ...NO_FIGURES, latency: [], lag: [], deliveryLag: [] } as { -readonly [Name in keyof Figures]: Figures[Name] };
  for (const each of all) {
    for (const count of ['ok', 'failed', 'limited', 'events', 'eventFailures', 'delivered'] as const) sum[count] += each[count];
    for (const last of ['lastOkAt', 'lastFailedAt'] as const)
      if (each[last] && (!sum[last] || each[last] > sum[last])) sum[last] = each[last];
    for (const histogram of ['latency', 'lag', 'deliveryLag'] as const) addTo(sum[histogram], each[histogram]);
  }
  return sum;
}

function figuresOf(row: Row): Figures {
  const { ok, failed, limited, events, delivered } = row;
  return {
    ...{ ok, failed, limited, events, delivered },
    lastOkAt: row.last_ok_at,
    lastFailedAt: row.last_failed_at,
    eventFailures: row.event_failures,
    latency: histogramOf(row.latency),
    lag: histogramOf(row.lag),
    deliveryLag: histogramOf(row.delivery_lag),
  };
}

function histogramOf(steps: Steps | null): Histogram {
  const histogram: Histogram = [];
  for (const [step, count] of steps ?? []) histogram[step - 1] = count;
  return Array.from(histogram, (count) => count ?? 0);
}
