/** One line of the demo's table. Both texts are made from what was observed: a step is ok when they are the same. */
export interface Step {
  readonly step: string;
  readonly expected: string;
  readonly seen: string;
  readonly ok: boolean;
}

/** Collects the steps; a step that throws is a step that fell short, and the ones after it still run. */
export class Report {
  readonly steps: Step[] = [];

  constructor(private readonly print: (line: string) => void) {}

  async step(name: string, expected: string, observe: () => Promise<string>): Promise<void> {
    let seen: string;
    try {
      seen = await observe();
    } catch (error) {
      seen = `failed: ${error instanceof Error ? error.message : String(error)}`;
    }
    const ok = seen === expected;
    this.steps.push({ step: name, expected, seen, ok });
    this.print(`${ok ? '  ok  ' : ' FAIL '} ${name}: ${seen}${ok ? '' : ` (expected: ${expected})`}`);
  }

  get ok(): boolean {
    return this.steps.every((step) => step.ok);
  }

  table(): string {
    const rows = [
      ['step', 'expected', 'seen'],
      ...this.steps.map((s) => [s.step, s.expected, s.ok ? s.seen : `${s.seen}  <-- fell short`]),
    ];
    const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
    return rows
      .map((row) =>
        row
          .map((cell, column) => cell.padEnd(widths[column] ?? 0))
          .join('  ')
          .trimEnd(),
      )
      .join('\n');
  }
}
