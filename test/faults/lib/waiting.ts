export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Asks until the answer is true. @returns how long it took, ms, or undefined when `withinMs` passed without */
export async function until(holds: () => Promise<boolean> | boolean, withinMs: number, everyMs = 100): Promise<number | undefined> {
  const start = performance.now();
  for (;;) {
    if (await holds()) return performance.now() - start;
    if (performance.now() - start > withinMs) return undefined;
    await sleep(everyMs);
  }
}

export function seconds(ms: number | undefined): string {
  return ms === undefined ? 'never' : `${(ms / 1_000).toFixed(1)} s`;
}
