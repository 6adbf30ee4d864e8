import type { Bucket } from './gcra';
import { TAKEN, type LimitStore, type Take } from './limit-store';

interface Asker {
  resolve(take: Take): void;
  reject(error: unknown): void;
}

/** Askers that one question to the store is for. */
const MOST_AT_ONCE = 100;

/**
 * Questions for the same buckets that come while one is on its way go together as the next one: many callers cost few round trips,
 * and one caller alone is not held up. A store in memory answers at once and is asked by everybody himself.
 */
export class SharedQuestions {
  /** By what is needed: who asks next. An entry stands while a question for it is on its way. */
  private readonly gathering = new Map<string, Asker[]>();

  constructor(private readonly store: LimitStore) {}

  take(buckets: readonly Bucket[]): Take | Promise<Take> {
    const next = this.gathering.size > 0 ? this.gathering.get(needsOf(buckets)) : undefined;
    if (next) return new Promise((resolve, reject) => next.push({ resolve, reject }));
    const answer = this.store.take(buckets);
    if (!(answer instanceof Promise)) return answer;
    const needs = needsOf(buckets);
    this.gathering.set(needs, []);
    return answer.finally(() => void this.askForNext(needs, buckets));
  }

  private async askForNext(needs: string, buckets: readonly Bucket[]): Promise<void> {
    const askers = this.gathering.get(needs)!;
    while (askers.length > 0) {
      // In the order in which they came; those for whom there was no room in the last question are the first of the next.
      const going = askers.splice(0, MOST_AT_ONCE);
      try {
        const take = await this.store.take(buckets, going.length);
        for (const asker of going.splice(0, take.taken)) asker.resolve(TAKEN);
        if (take.taken === 0) for (const asker of going.splice(0)) asker.resolve(take);
        askers.unshift(...going);
      } catch (error) {
        for (const asker of going) asker.reject(error);
      }
    }
    this.gathering.delete(needs);
  }
}

/** The same for those who need the same. */
export function needsOf(buckets: readonly Bucket[]): string {
  return buckets.map(({ key, cost }) => `${key} ${cost}`).join();
}
