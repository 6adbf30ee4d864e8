import { Inject, Injectable } from '@nestjs/common';
import { v7 as uuidv7 } from 'uuid';
import { CLOCK, type Clock } from '../../clock';
import { PROCESS_SIGNS, type ProcessSigns } from '../../database';

/** Twice in a row missing, with so much time between, and a process has ended, ms. The database may have been restarted in between. */
const LOOK_EVERY_MS = 1_500;

/** Who lived at the last look. */
export interface Look {
  readonly signs: readonly string[];
}

/**
 * Which processes live, so that what a dead one had claimed need not wait for its lease: a lease carries the sign of the process that
 * took it. What cannot be known is left to the lease.
 */
@Injectable()
export class ProcessPresence {
  private before?: readonly string[];
  private lookedAt = -Infinity;
  private look?: Promise<Look | undefined>;

  constructor(
    @Inject(PROCESS_SIGNS) private readonly processes: ProcessSigns | undefined,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** A UUID, new for each claim: of version 8 with the process's sign at its end, of version 7 while nobody could see the process. */
  newLease(): string {
    const id = uuidv7();
    const sign = this.processes?.sign;
    return sign === undefined ? id : `${id.slice(0, 14)}8${id.slice(15, 28)}${sign}`;
  }

  /** Who lived at one of the last two looks; the same object until the next look. Undefined where it cannot be said. */
  alive(): Promise<Look | undefined> {
    const now = this.clock.now();
    if (!this.look || now - this.lookedAt >= LOOK_EVERY_MS) {
      this.lookedAt = now;
      this.look = this.lookAround();
    }
    return this.look;
  }

  private async lookAround(): Promise<Look | undefined> {
    const signs = await this.processes?.alive();
    const { before } = this;
    this.before = signs;
    return signs && before && { signs: [...new Set([...before, ...signs])] };
  }
}

/** Of `lease_owner`: a lease of a process that is not among the signs $1. */
export const OF_ENDED_PROCESS = `substr(lease_owner::text, 15, 1) = '8' AND right(lease_owner::text, 8) <> ALL ($1::text[])`;
