import { GivenBackError } from '../jobs';

export interface TurnLimits {
  /** POSTs at the same time to one destination, and in all. */
  readonly perDestination: number;
  readonly inFlight: number;
}

interface Waiting {
  go(): void;
  giveUp(reason: Error): void;
}

interface Destination {
  sending: number;
  waiting: Waiting[];
}

/**
 * Who may send now, in this process: so many to one destination, so many in all, the destinations in turn. What is claimed ahead waits
 * here, so that a destination that answers quickly has the next message at once and not after the next claim.
 */
export class DestinationTurns {
  private readonly destinations = new Map<string, Destination>();
  private sending = 0;

  constructor(private readonly limits: TurnLimits) {}

  /** Deliveries to the destination that have not been sent yet. */
  waiting(id: string): number {
    return this.destinations.get(id)?.waiting.length ?? 0;
  }

  /**
   * Waits for the turn and takes it: `leave` gives it back.
   * @throws GivenBackError where `refuse` was called meanwhile; the signal's reason
   */
  async enter(id: string, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const destination = this.destinations.get(id) ?? { sending: 0, waiting: [] };
    this.destinations.set(id, destination);
    if (destination.waiting.length === 0 && this.hasRoom(destination)) return this.take(destination);
    const stop = () => {
      destination.waiting = destination.waiting.filter((each) => each !== own);
      this.forget(id, destination);
      own.giveUp(signal.reason as Error);
    };
    let own!: Waiting;
    const turn = new Promise<void>((go, giveUp) => (own = { go, giveUp }));
    destination.waiting.push(own);
    signal.addEventListener('abort', stop);
    await turn.finally(() => signal.removeEventListener('abort', stop));
  }

  leave(id: string): void {
    const destination = this.destinations.get(id);
    if (!destination) return;
    destination.sending--;
    this.sending--;
    this.forget(id, destination);
    this.next();
  }

  /** What waits for this destination is given back untried. */
  refuse(id: string): void {
    const destination = this.destinations.get(id);
    if (!destination) return;
    for (const { giveUp } of destination.waiting.splice(0)) giveUp(new GivenBackError('The destination is to have no more for now.'));
    this.forget(id, destination);
  }

  private hasRoom({ sending }: Destination): boolean {
    return this.sending < this.limits.inFlight && sending < this.limits.perDestination;
  }

  private take(destination: Destination): void {
    destination.sending++;
    this.sending++;
  }

  private next(): void {
    for (const [id, destination] of [...this.destinations]) {
      if (this.sending >= this.limits.inFlight) return;
      if (!this.hasRoom(destination)) continue;
      const first = destination.waiting.shift();
      if (!first) continue;
      this.take(destination); // before it goes on, so that nobody else takes the room
      first.go();
      // to the end of the row: the others come before its next one
      this.destinations.delete(id);
      this.destinations.set(id, destination);
    }
  }

  private forget(id: string, { sending, waiting }: Destination): void {
    if (sending === 0 && waiting.length === 0) this.destinations.delete(id);
  }
}
