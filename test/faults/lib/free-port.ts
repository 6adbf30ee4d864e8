import { randomInt } from 'node:crypto';

/** Below the range from which machines take the ports of outgoing connections. */
const [FROM, TO] = [20_000, 32_000];
const TRIES = 20;

/**
 * For programs that cannot be told "any port": starts one on a port at random, and on another where it could not bind that one.
 * @param start undefined where the port was taken
 */
export async function onFreePort<T>(start: (port: number) => Promise<T | undefined>): Promise<T> {
  for (let tries = 0; tries < TRIES; tries++) {
    const started = await start(randomInt(FROM, TO));
    if (started !== undefined) return started;
  }
  throw new Error(`none of ${TRIES} ports could be bound`);
}
