import { Inject, Injectable } from '@nestjs/common';
import { CLOCK, type Clock } from '../../clock';
import { FigureReader, NO_FIGURES, percentile, sumOf, type Figures } from '../figures';

/** The last 24 hours, the oldest first; the one under way is the last. Null where nothing was measured. */
export interface HourlyFigures {
  readonly requests: readonly number[];
  readonly failed: readonly number[];
  readonly rateLimited: readonly number[];
  readonly latencyP95Ms: readonly (number | null)[];
  readonly events: readonly number[];
  readonly eventsFailed: readonly number[];
  readonly lagP95Ms: readonly (number | null)[];
  readonly delivered: readonly number[];
  readonly deliveryLagP95Ms: readonly (number | null)[];
}

/** What happened within some time. */
export interface FigureSums {
  readonly requests: number;
  readonly failed: number;
  /** Requests that the provider answered with 429, or how it says that. */
  readonly rateLimited: number;
  /** Of the calls, ms: 95 of 100 took no longer. Null where there was none. */
  readonly latencyP95Ms: number | null;
  /** Webhook events that took effect. */
  readonly events: number;
  /** Tries of webhook events that failed in their handlers. */
  readonly eventsFailed: number;
  /** From the receipt of webhook events to their effect, ms. */
  readonly lagP95Ms: number | null;
  /** Deliveries that the product's destinations took. */
  readonly delivered: number;
  /** From what deliveries tell of to their being taken, ms. */
  readonly deliveryLagP95Ms: number | null;
}

/** As `GET /v1/admin/figures` gives it, and as the overview shows it. */
export interface DayFigures {
  /** When the first of the hours began. */
  readonly from: string;
  readonly total: FigureSums;
  readonly hourly: HourlyFigures;
  readonly providers: readonly { readonly provider: string; readonly total: FigureSums; readonly hourly: HourlyFigures }[];
}

const HOUR_MS = 3_600_000;
const HOURS = 24;
const P95 = 0.95;

/** How the last 24 hours went, from the buckets. */
@Injectable()
export class DayFiguresService {
  constructor(
    private readonly figures: FigureReader,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** @param tenant undefined: of all (an operator). Who had nothing is left out. */
  async of(tenant: string | undefined): Promise<DayFigures> {
    const firstHour = Math.floor(this.clock.now() / HOUR_MS) - (HOURS - 1);
    const found = await this.figures.hourly(tenant, firstHour);
    const days = [...found].map(([provider, hours]) => ({
      provider,
      day: Array.from({ length: HOURS }, (_, hour) => hours.get(hour) ?? NO_FIGURES),
    }));
    const all = Array.from({ length: HOURS }, (_, hour) => sumOf(days.map(({ day }) => day[hour] ?? NO_FIGURES)));
    const providers = days.filter(({ provider }) => provider !== '').sort((a, b) => (a.provider < b.provider ? -1 : 1));
    return {
      from: new Date(firstHour * HOUR_MS).toISOString(),
      total: sumsOf(sumOf(all)),
      hourly: hourlyOf(all),
      providers: providers.map(({ provider, day }) => ({ provider, total: sumsOf(sumOf(day)), hourly: hourlyOf(day) })),
    };
  }
}

export function sumsOf(figures: Figures): FigureSums {
  const { ok, failed, limited, events, eventFailures, delivered } = figures;
  return {
    ...{ requests: ok + failed, failed, rateLimited: limited, latencyP95Ms: percentile(figures.latency, P95) },
    ...{ events, eventsFailed: eventFailures, lagP95Ms: percentile(figures.lag, P95) },
    ...{ delivered, deliveryLagP95Ms: percentile(figures.deliveryLag, P95) },
  };
}

function hourlyOf(hours: readonly Figures[]): HourlyFigures {
  const sums = hours.map(sumsOf);
  const each = <Name extends keyof FigureSums>(name: Name): FigureSums[Name][] => sums.map((sum) => sum[name]);
  return {
    ...{ requests: each('requests'), failed: each('failed'), rateLimited: each('rateLimited'), latencyP95Ms: each('latencyP95Ms') },
    ...{ events: each('events'), eventsFailed: each('eventsFailed'), lagP95Ms: each('lagP95Ms') },
    ...{ delivered: each('delivered'), deliveryLagP95Ms: each('deliveryLagP95Ms') },
  };
}
