import { Inject, Injectable, Logger, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import { CLOCK, type Clock } from '../../clock';
import { asService } from '../../database';
import { ConnectionSeals } from '../connections';
import { faultOf, PeriodicTasks } from '../jobs';
import { KeyCheckService } from './key-check.service';

/** How long processes of the version before, which do not seal, may still run beside this one. */
const BESIDE_OLDER_MS = 60 * 60_000;
const EVERY_MS = 60_000;

/**
 * Seals the connections of a version that did not, beside the running service, at the first start and until the processes of that version are
 * gone; and looks whether what was altered is restored.
 */
@Injectable()
export class SealTasks implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger('connections');
  private readonly stopping = new AbortController();
  private sealing?: Promise<void>;

  constructor(
    private readonly seals: ConnectionSeals,
    private readonly keys: KeyCheckService,
    private readonly periodic: PeriodicTasks,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  onApplicationBootstrap(): void {
    this.seal();
  }

  @Interval('connection-seals', EVERY_MS)
  async tick(): Promise<void> {
    this.seal();
    await this.periodic.run('connection-seals', () => this.seals.recheck());
  }

  /** In every process, with workers or without: each has to learn that nothing unsealed is taken any more. */
  private seal(): void {
    if (!this.seals.isSealing || this.stopping.signal.aborted) return;
    this.sealing ??= asService(() => this.sealAll(this.stopping.signal))
      .catch((error: unknown) => {
        if (!this.stopping.signal.aborted)
          this.logger.warn({ msg: 'Connections could not be sealed; it is tried again.', ...faultOf(error) });
      })
      .finally(() => (this.sealing = undefined));
  }

  /** May be cut off at any point: then the next start goes on. */
  async sealAll(signal?: AbortSignal): Promise<void> {
    const { sealed, left } = await this.seals.sealUnsealed(signal);
    if (sealed > 0) this.logger.log(`${sealed} connections are sealed from now on.`);
    if (!left) await this.keys.endSealing(this.clock.now() + BESIDE_OLDER_MS);
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.stopping.abort(new Error('the process is stopping'));
    await this.sealing;
  }
}
