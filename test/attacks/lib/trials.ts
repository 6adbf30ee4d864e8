import type { Verdict } from './attack';
import type { Answer } from './request';

/** The variants of one attack: each holds or not, and what broke is named. */
export class Trials {
  private readonly seen = new Map<string, number>();
  private readonly broken: string[] = [];
  private readonly notes: string[] = [];
  private count = 0;

  /** @param seen what came of it, in a word; equal ones are counted together */
  add(name: string, holds: boolean, seen?: string | number): void {
    this.count++;
    if (seen !== undefined) this.seen.set(String(seen), (this.seen.get(String(seen)) ?? 0) + 1);
    if (!holds) this.broken.push(seen === undefined ? name : `${name} (${seen})`);
  }

  /** Holds where the answer has one of the statuses. */
  status(name: string, answer: Pick<Answer, 'status'> & { readonly code?: string }, ...expected: readonly number[]): void {
    this.add(name, expected.includes(answer.status), answer.code ? `${answer.status} ${answer.code}` : answer.status);
  }

  /** Said beside the counts. */
  note(text: string): void {
    this.notes.push(text);
  }

  verdict(): Verdict {
    const counts = [...this.seen].map(([what, times]) => `${times} x ${what}`).join(', ');
    const ok = this.count > 0 && this.broken.length === 0;
    const parts = [
      `${this.count - this.broken.length} of ${this.count} as expected${counts ? `: ${counts}` : ''}`,
      ...this.notes,
      ...(ok ? [] : [`NOT: ${this.broken.slice(0, 12).join('; ')}`]),
    ];
    return { seen: parts.join('; '), ok };
  }
}
