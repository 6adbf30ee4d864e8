import { Transform } from 'node:stream';
import { IntegrationError } from '../../errors';

/** Of all bodies that are being read or worked on in this process: enough for 25 of the largest at once. */
const MAX_BYTES = 256 * 1024 * 1024;

/**
 * Bounds the bytes of all requests' bodies together. A stated length is only looked at on the way in, and what counts is what has
 * come: otherwise whoever states lengths and sends nothing would shut everybody else out.
 */
export class BodyBudget {
  private held = 0;

  constructor(private readonly maxBytes = MAX_BYTES) {}

  get heldBytes(): number {
    return this.held;
  }

  /** @throws IntegrationError `busy` where a body of this length has no room now */
  open(statedBytes: number): HeldBody {
    this.refuseOver(statedBytes);
    let own = 0;
    return {
      add: (bytes) => {
        this.refuseOver(bytes);
        own += bytes;
        this.held += bytes;
      },
      release: () => {
        this.held -= own;
        own = 0;
      },
    };
  }

  private refuseOver(bytes: number): void {
    if (this.held + bytes <= this.maxBytes) return;
    throw new IntegrationError('busy', {
      detail: 'Too many bytes of other requests are on their way.',
      nextStep: 'Send it again in a moment.',
      retryAfterMs: 1_000,
    });
  }
}

export interface HeldBody {
  /** @throws IntegrationError `busy` */
  add(bytes: number): void;
  /** When the request is answered or given up. */
  release(): void;
}

/** Hands on what comes and counts it; ends with `busy` where there is no more room. */
export function countedBody(body: HeldBody): Transform {
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      try {
        body.add(chunk.length);
      } catch (error) {
        return done(error as Error);
      }
      return done(null, chunk);
    },
  });
}
