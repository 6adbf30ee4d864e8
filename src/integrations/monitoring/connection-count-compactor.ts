import { Injectable } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import { ConnectionCounts } from '../connections';
import { PeriodicTasks } from '../jobs';

const EVERY_MS = 60_000;

/** Sums up what changes of connections have added to the counts: reading them costs no more than a minute's changes. */
@Injectable()
export class ConnectionCountCompactor {
  constructor(
    private readonly counts: ConnectionCounts,
    private readonly periodic: PeriodicTasks,
  ) {}

  @Interval('connection-counts', EVERY_MS)
  tick(): Promise<void> {
    return this.periodic.run('connection-counts', (signal) => this.counts.compact(signal));
  }
}
