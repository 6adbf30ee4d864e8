import { html, Html } from '../http-api';

const WIDTH = 96;
const HEIGHT = 20;

export interface Sparkline {
  /** What is counted, for those who do not see it: "Requests". */
  readonly what: string;
  /** One an hour, the newest last. */
  readonly values: readonly number[];
  readonly tone: 'soft' | 'bad';
}

/** Bars of the last hours; its words say the sum, the highest and the newest. Attributes alone: the policy takes no inline style. */
export function sparkline({ what, values, tone }: Sparkline): Html {
  const most = Math.max(...values, 1);
  const step = WIDTH / values.length;
  const bars = values.map((value, index) => {
    const height = value === 0 ? 0 : Math.max(1, Math.round((value / most) * HEIGHT));
    return height === 0 ? '' : `M${round(index * step)} ${HEIGHT}v-${height}h${round(step - 1)}v${height}z`;
  });
  const sum = values.reduce((total, value) => total + value, 0);
  const count = (value: number) => value.toLocaleString('en');
  const label = `${what} by the hour: ${count(sum)} in ${values.length} hours, at most ${count(Math.max(...values, 0))}, in this hour ${count(values.at(-1) ?? 0)}`;
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
