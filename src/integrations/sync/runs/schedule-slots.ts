import { createHash } from 'node:crypto';

/**
 * Each connection has its own place in the interval, by the hash of its id: so the load is even however many were connected at
 * once. A slot begins at `place + n * interval`.
 * @param now ms since the epoch @param intervalS seconds @returns ms since the epoch: the first slot after `now`
 */
export function nextSlot(connectionId: string, now: number, intervalS: number): number {
  const interval = intervalS * 1_000;
  const place = Math.floor(fractionOf(connectionId) * interval);
  return place + (Math.floor((now - place) / interval) + 1) * interval;
}

/** Evenly spread over [0, 1). */
function fractionOf(id: string): number {
  return createHash('sha256').update(id).digest().readUIntBE(0, 6) / 2 ** 48;
}
