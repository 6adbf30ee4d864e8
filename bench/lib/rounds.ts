import { median, summary, type Arm, type ArmResult } from './benchmark';

/** The figures of all arms, round by round: neighbours in time, so that a ratio of one round compares like with like. */
export interface Rounds {
  readonly arms: readonly ArmResult[];
  samples(name: string): readonly number[];
  /** Paired ratio a / b of each round: its median and range. */
  ratio(a: string, b: string): { median: number; min: number; max: number };
}

/** Warms every arm up, then runs `rounds` rounds with all arms in each, in an order that rotates. */
export async function interleave(arms: readonly Arm[], rounds = 5, warmUps = 1): Promise<Rounds> {
  const figures = new Map<string, number[]>(arms.map((arm) => [arm.name, []]));
  const started: Arm[] = [];
  try {
    for (const arm of arms) {
      await arm.setUp?.();
      started.push(arm);
    }
    for (let round = -warmUps; round < rounds; round++) {
      for (let i = 0; i < arms.length; i++) {
        const arm = arms[(i + Math.max(round, 0)) % arms.length] as Arm;
        const figure = await arm.round();
        if (round >= 0) figures.get(arm.name)?.push(figure);
      }
    }
  } finally {
    for (const arm of started.reverse()) await arm.tearDown?.();
  }
  const samples = (name: string) => figures.get(name) ?? [];
  return {
    arms: arms.map((arm) => summary(arm.name, arm.unit, samples(arm.name))),
    samples,
    ratio: (a, b) => {
      const others = samples(b);
      const ratios = samples(a).map((value, index) => value / (others[index] ?? Number.NaN));
      return { median: median(ratios), min: Math.min(...ratios), max: Math.max(...ratios) };
    },
  };
}

export function times(ratio: { median: number; min: number; max: number }): string {
  return `${ratio.median.toFixed(2)}x (${ratio.min.toFixed(2)}-${ratio.max.toFixed(2)})`;
}
