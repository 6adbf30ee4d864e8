import { comparison } from '../bench/lib/against';

const arm = (name: string, median: number) => [name, { name, unit: 'calls/s', median, min: median, max: median }] as const;
const turn = (here: readonly (readonly [string, number])[], other: readonly (readonly [string, number])[]) => ({
  here: new Map(here.map(([name, median]) => arm(name, median))),
  other: new Map(other.map(([name, median]) => arm(name, median))),
});

it('compares neighbours in time, and leaves out what one of the two has not', () => {
  const turns = [
    turn(
      [
        ['B5 ours (calls/s)', 90],
        ['B5 new (calls/s)', 1],
      ],
      [
        ['B5 ours (calls/s)', 100],
        ['B5 gone (calls/s)', 1],
      ],
    ),
    turn(
      [
        ['B5 ours (calls/s)', 50],
        ['B5 new (calls/s)', 1],
      ],
      [['B5 ours (calls/s)', 50]],
    ), // a machine half as quick
    turn(
      [
        ['B5 ours (calls/s)', 120],
        ['B5 new (calls/s)', 1],
      ],
      [['B5 ours (calls/s)', 100]],
    ),
  ];
  expect(comparison(turns)).toEqual(['B5 ours (calls/s): 1.00x (0.90-1.20); here 90.00, there 100.0']);
});
