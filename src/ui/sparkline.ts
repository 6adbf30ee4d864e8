import { html, Html } from '../http-api';
import { duration } from './time-tag';

const WIDTH = 96;
const HEIGHT = 20;

export interface Sparkline {
  /** What is counted, or measured, for those who do not see it: "Requests". */
  readonly what: string;
  /** One an hour, the newest last; null where nothing was measured. */
  readonly values: readonly (number | null)[];
  readonly tone: 'soft' | 'bad';
  /** Default: they are counts. `ms`: how long something took, which nothing sums up. */
  readonly unit?: 'ms';
}

/** Bars of the last hours; its words say the sum, the highest and the newest. Attributes alone: the policy takes no inline style. */
export function sparkline({ what, values, tone, unit }: Sparkline): Html {
  const known = values.map((value) => value ?? 0);
  const most = Math.max(...known, 1);
  const step = WIDTH / values.length;
  const bars = known.map((value, index) => {
    const height = value === 0 ? 0 : Math.max(1, Math.round((value / most) * HEIGHT));
    return height === 0 ? '' : `M${round(index * step)} ${HEIGHT}v-${height}h${round(step - 1)}v${height}z`;
  });
  const label = `${what} by the hour: ${unit === 'ms' ? timesOf(values) : countsOf(known)}`;
  return html`<svg
    class="spark ${tone}"
    role="img"
    aria-label="${label}"
    width="${WIDTH}"
    height="${HEIGHT}"
    viewBox="0 0 ${WIDTH} ${HEIGHT}"
  >
    <path d="${bars.join('')}" />
  </svg>`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function countsOf(values: readonly number[]): string {
  const count = (value: number) => value.toLocaleString('en');
  const sum = values.reduce((total, value) => total + value, 0);
  return `${count(sum)} in ${values.length} hours, at most ${count(Math.max(...values, 0))}, in this hour ${count(values.at(-1) ?? 0)}`;
}

function timesOf(values: readonly (number | null)[]): string {
  const measured = values.filter((value) => value !== null);
  if (measured.length === 0) return `nothing in ${values.length} hours`;
  const now = values.at(-1) ?? null;
  return `at most ${duration(Math.max(...measured))} in ${values.length} hours, in this hour ${now === null ? 'nothing' : duration(now)}`;
}
