import { Injectable, Logger, type BeforeApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { asService } from '../../database';
import { ADD_FIGURES, COUNTS, EVERYBODY, HISTOGRAMS, SLOT_MS, TIMES } from './figure.queries';
import { addTo, observe, type Histogram } from './histogram';

/** What a figure is of. */
export interface FigureOf {
  /** When it happened, ms since the epoch. */
  readonly at: number;
  readonly provider: string;
  /** Whose it is; of nobody's the sums of all are made alone. */
  readonly tenant?: string | undefined;
}

/** What happened within one slot to one organization's calls, events and deliveries at one provider. */
interface Cell {
  readonly tenant: string | undefined;
  readonly slot: number;
  readonly provider: string;
  ok: number;
  failed: number;
  limited: number;
  last_ok_at: number | null;
  last_failed_at: number | null;
  events: number;
  event_failures: number;
  delivered: number;
  readonly latency: Histogram;
  readonly lag: Histogram;
  readonly delivery_lag: Histogram;
}

export const FIGURE_DEFAULTS = {
  /** Time between writes, ms. */
  flushEveryMs: 2_000,
  /** Cells kept in memory while the store does not take them: what comes past that is not counted. */
  maxCells: 10_000,
  /** Rows of one statement. */
  batch: 1_000,
};

/**
 * Counts what happens in the memory of the process and adds it to the buckets every few seconds: what happens waits for none of it. A
 * process that is killed loses the figures of those seconds and nothing else: what must be exact is read from the rows of the things
 * themselves.
 */
@Injectable()
export class FigureCollector implements OnModuleInit, BeforeApplicationShutdown {
  private readonly logger = new Logger('figures');
  private cells = new Map<string, Cell>();
  private timer?: NodeJS.Timeout;
  private writing?: Promise<void>;

  constructor(private readonly dataSource: DataSource) {}

  onModuleInit(): void {
    // Real time: how often memory is emptied has nothing to do with the time that the figures speak of.
    this.timer = setInterval(() => void this.flush(), FIGURE_DEFAULTS.flushEveryMs).unref();
  }

  async beforeApplicationShutdown(): Promise<void> {
    clearInterval(this.timer);
    await this.flush();
  }

  /** A call to a provider. @param latencyMs where it was sent */
  request(of: FigureOf, { ok, limited, latencyMs }: { ok: boolean; limited: boolean; latencyMs?: number | undefined }): void {
    const cell = this.cellOf(of);
    if (!cell) return;
    if (ok) {
      cell.ok++;
      cell.last_ok_at = later(cell.last_ok_at, of.at);
    } else {
      cell.failed++;
      cell.last_failed_at = later(cell.last_failed_at, of.at);
    }
    if (limited) cell.limited++;
    if (latencyMs !== undefined) observe(cell.latency, latencyMs);
  }

  /** A webhook event took effect. @param lagMs since it was received */
  event(of: FigureOf, lagMs: number): void {
    const cell = this.cellOf(of);
    if (!cell) return;
    cell.events++;
    observe(cell.lag, lagMs);
  }

  /** Handlers of a webhook event failed: one try of it. */
  eventFailed(of: FigureOf): void {
    const cell = this.cellOf(of);
    if (cell) cell.event_failures++;
  }

  /** A destination took a delivery. @param lagMs since what it tells of */
  delivered(of: FigureOf, lagMs: number): void {
    const cell = this.cellOf(of);
    if (!cell) return;
    cell.delivered++;
    observe(cell.delivery_lag, lagMs);
  }

  /** Writes what there is now. Never throws: what could not be written is tried again, up to the bound. */
  async flush(): Promise<void> {
    while (this.writing) await this.writing;
    if (this.cells.size === 0) return;
    this.writing = asService(() => this.write()).finally(() => (this.writing = undefined));
    await this.writing;
  }

  private async write(): Promise<void> {
    const cells = this.cells;
    this.cells = new Map();
    const rows = rowsOf([...cells.values()]);
    try {
      await this.dataSource.transaction(async (manager) => {
        for (let at = 0; at < rows.length; at += FIGURE_DEFAULTS.batch)
          await manager.query(ADD_FIGURES, [JSON.stringify(rows.slice(at, at + FIGURE_DEFAULTS.batch))]);
      });
    } catch (error) {
      this.logger.warn(
        `Figures could not be written; the next write tries again: ${error instanceof Error ? error.message : String(error)}`,
      );
      for (const [key, cell] of cells) this.putBack(key, cell);
    }
  }

  private putBack(key: string, cell: Cell): void {
    const known = this.cells.get(key);
    if (known) add(known, cell);
    else if (this.cells.size < FIGURE_DEFAULTS.maxCells) this.cells.set(key, cell);
  }

  private cellOf({ at, provider, tenant }: FigureOf): Cell | undefined {
    const slot = at - (at % SLOT_MS);
    const key = `${slot} ${provider} ${tenant ?? ''}`;
    let cell = this.cells.get(key);
    if (!cell && this.cells.size < FIGURE_DEFAULTS.maxCells) this.cells.set(key, (cell = empty(tenant, slot, provider)));
    return cell;
  }
}

function empty(tenant: string | undefined, slot: number, provider: string): Cell {
  return {
    ...{ tenant, slot, provider, ok: 0, failed: 0, limited: 0, last_ok_at: null, last_failed_at: null },
    ...{ events: 0, event_failures: 0, delivered: 0, latency: [], lag: [], delivery_lag: [] },
  };
}

function add(sum: Cell, more: Cell): void {
  for (const count of COUNTS) sum[count] += more[count];
  for (const last of TIMES) if (more[last] !== null) sum[last] = later(sum[last], more[last]);
  for (const histogram of HISTOGRAMS) addTo(sum[histogram], more[histogram]);
}

/** Each cell of an organization's, and the sums of all: an operator reads one row where there are ten thousand organizations. */
function rowsOf(cells: readonly Cell[]): readonly (Cell & { tenant: string })[] {
  const rows = new Map<string, Cell & { tenant: string }>();
  for (const cell of cells) {
    const { slot, provider, tenant } = cell;
    for (const whose of tenant === undefined ? [EVERYBODY] : [EVERYBODY, tenant]) {
      const key = `${whose} ${slot} ${provider}`;
      const row = rows.get(key) ?? { ...empty(undefined, slot, provider), tenant: whose };
      rows.set(key, row);
      add(row, cell);
    }
  }
  // One order everywhere: two processes never wait for each other in a circle.
  return [...rows].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row);
}

function later(a: number | null, b: number): number {
  return a === null ? b : Math.max(a, b);
}
