import { IntegrationError } from '../../../errors';
import type { ConnectionViewer } from '../../connections';

/** Streams open in this process: of all, and of one user. */
const MAX_STREAMS = 500;
const MAX_OF_A_USER = 10;
const RETRY_MS = 5_000;

/** How many streams of server-sent events are open, and for whom. */
export class OpenStreams {
  private readonly open = new Map<string, number>();
  private all = 0;

  /**
   * @param user who listens, as one text
   * @param signal has to be aborted when nobody listens any more: until then the stream counts
   * @throws IntegrationError `too_many_requests`
   */
  add(user: string, signal: AbortSignal): void {
    const own = this.open.get(user) ?? 0;
    if (own >= MAX_OF_A_USER || this.all >= MAX_STREAMS)
      throw new IntegrationError('too_many_requests', {
        detail: own >= MAX_OF_A_USER ? `${MAX_OF_A_USER} streams of this user are open.` : 'Too many streams are open.',
        nextStep: 'Close one that is not needed, or ask again later.',
        retryAfterMs: RETRY_MS,
      });
    this.open.set(user, own + 1);
    this.all++;
    signal.addEventListener('abort', () => this.closed(user), { once: true });
    if (signal.aborted) this.closed(user);
  }

  private closed(user: string): void {
    const left = (this.open.get(user) ?? 1) - 1;
    if (left > 0) this.open.set(user, left);
    else this.open.delete(user);
    this.all--;
  }
}

/** A person's pages, with their browser tokens, leave the backend's streams for the same person alone. */
export function listenerOf({ tenant, userId, viaBrowserToken }: Pick<ConnectionViewer, 'tenant' | 'userId' | 'viaBrowserToken'>): string {
  return JSON.stringify([tenant, userId, viaBrowserToken !== undefined]);
}
