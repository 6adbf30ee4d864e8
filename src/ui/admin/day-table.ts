import { html, type Html } from '../../http-api';
import type { DayFigures, FigureSums } from '../../integrations';
import { sparkline, type Sparkline } from '../sparkline';
import { table } from '../table';
import { duration } from '../time-tag';

interface Line {
  readonly what: string;
  readonly figure: keyof FigureSums;
  readonly tone: Sparkline['tone'];
  readonly unit?: 'ms';
}

const LINES: readonly Line[] = [
  { what: 'Requests', figure: 'requests', tone: 'soft' },
  { what: 'Failed requests', figure: 'failed', tone: 'bad' },
  { what: 'Held back by limits (429)', figure: 'rateLimited', tone: 'bad' },
  { what: '95 of 100 calls within', figure: 'latencyP95Ms', tone: 'soft', unit: 'ms' },
  { what: 'Webhook events in effect', figure: 'events', tone: 'soft' },
  { what: 'Failed in handlers', figure: 'eventsFailed', tone: 'bad' },
  { what: '95 of 100 events in effect within', figure: 'lagP95Ms', tone: 'soft', unit: 'ms' },
  { what: 'Deliveries taken', figure: 'delivered', tone: 'soft' },
  { what: '95 of 100 deliveries taken within', figure: 'deliveryLagP95Ms', tone: 'soft', unit: 'ms' },
];

/** The day at a glance: each figure, and how it went by the hour. */
export function dayTable({ total, hourly }: DayFigures): Html {
  const rows = LINES.map(({ what, figure, tone, unit }) => [
    what,
    shown(total[figure], unit),
    shown(hourly[figure].at(-1) ?? null, unit),
    html`${sparkline({ what, values: hourly[figure], tone, ...(unit && { unit }) })}`,
  ]);
  return table('The last 24 hours', ['What', 'In 24 hours', 'In this hour', 'By the hour'], rows, '');
}

function shown(value: number | null, unit: Line['unit']): string {
  if (value === null) return '–';
  return unit === 'ms' ? duration(value) : value.toLocaleString('en');
}
