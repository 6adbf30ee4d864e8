import { MEASURES, type Sample } from './samples';

const WIDTH = 900;
const HEIGHT = 110;
const LEFT = 90;
const TITLES: Readonly<Record<(typeof MEASURES)[number], string>> = {
  memory: 'memory of the first process, MiB',
  handles: 'its open files and sockets',
  connections: 'connections to the database',
  waiting: 'events that wait',
  lag: 'oldest event that is due, s',
  unsent: 'messages that wait',
  tables: 'tables, MiB',
};

/** One strip a measure over the time of the run, with a mark for each fault. */
export function plotOf(samples: readonly Sample[], faults: readonly { at: number; name: string }[]): string {
  const end = samples.at(-1)?.at ?? 1;
  const x = (at: number) => LEFT + (at / end) * (WIDTH - LEFT - 10);
  const strips = MEASURES.map((measure, index) => {
    const known = samples.flatMap((each) => (each[measure] === null ? [] : [{ at: each.at, value: each[measure] }]));
    const most = Math.max(1, ...known.map(({ value }) => value));
    const top = index * (HEIGHT + 30) + 30;
    const y = (value: number) => top + HEIGHT - (value / most) * HEIGHT;
    const points = known.map(({ at, value }) => `${x(at).toFixed(1)},${y(value).toFixed(1)}`).join(' ');
    return `<text x="${LEFT}" y="${top - 8}">${TITLES[measure]}</text><text x="${LEFT - 6}" y="${top + 10}" text-anchor="end">${round(most)}</text>
<text x="${LEFT - 6}" y="${top + HEIGHT}" text-anchor="end">0</text><path d="M${LEFT} ${top + HEIGHT}H${WIDTH - 10}" stroke="#888"/>
${faults.map(({ at, name }) => `<path d="M${x(at).toFixed(1)} ${top}v${HEIGHT}" stroke="#c33" stroke-opacity=".25"><title>${name}</title></path>`).join('')}
<polyline points="${points}" fill="none" stroke="#247" stroke-width="1.5"/>`;
  });
  const height = MEASURES.length * (HEIGHT + 30) + 30;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="sans-serif" font-size="12"><rect width="100%" height="100%" fill="#fff"/>
${strips.join('\n')}
<text x="${LEFT}" y="${height - 8}">${Math.round(end / 60)} minutes; a red line is a fault</text></svg>
`;
}

function round(value: number): string {
  return value >= 100 ? Math.round(value).toString() : value.toFixed(1);
}
