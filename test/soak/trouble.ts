import type { OwnPostgres } from '../faults/lib/own-postgres';
import type { OwnRedis } from '../faults/lib/own-redis';
import { sleep } from '../faults/lib/waiting';
import type { World } from '../faults/lib/world';
import type { CountingReceiver } from './receiver';
import { SeededRandom } from '../../sandbox/random';

interface Kind {
  readonly name: string;
  readonly weight: number;
  run(): Promise<void>;
}

export interface TroubleParts {
  readonly world: World;
  readonly receiver: CountingReceiver;
  readonly postgres?: OwnPostgres;
  readonly redis?: OwnRedis;
}

/** Faults at random, the same ones for the same seed. The first process is spared on a server, so that its memory can be watched. */
export class Trouble {
  readonly done: { readonly at: number; readonly name: string }[] = [];
  private readonly random: SeededRandom;

  constructor(
    private readonly parts: TroubleParts,
    seed: number,
  ) {
    this.random = new SeededRandom(seed);
  }

  /** One after another, with pauses between, until the signal is aborted. */
  async goOn(signal: AbortSignal): Promise<void> {
    const kinds = this.kinds();
    const all = kinds.reduce((sum, { weight }) => sum + weight, 0);
    while (!signal.aborted) {
      await sleep(4_000 + this.random.next() * 12_000);
      if (signal.aborted) return;
      let at = this.random.next() * all;
      const kind = kinds.find(({ weight }) => (at -= weight) < 0) ?? kinds[0]!;
      this.done.push({ at: Date.now(), name: kind.name });
      await kind.run();
    }
  }

  private kinds(): Kind[] {
    const { world, receiver, postgres, redis } = this.parts;
    const { control } = world.sandbox;
    const { members } = world.cluster;
    const victims = members.length > 1 ? members.slice(1) : members;
    const victim = () => victims[Math.floor(this.random.next() * victims.length)]!;
    const providers = ['stripe', 'slack'] as const;
    const provider = () => providers[Math.floor(this.random.next() * providers.length)]!;
    const during = async (ms: number, begin: () => unknown, end: () => unknown) => {
      await begin();
      await sleep(ms);
      await end();
    };
    const fault = (spec: Omit<Parameters<typeof control.addFault>[0], 'provider'>, ms: number) =>
      during(
        ms,
        () => control.addFault({ ...spec, provider: provider() }),
        () => control.clearFaults(),
      );
    return [
      {
        name: 'kill -9',
        weight: 3,
        run: async () => {
          const one = victim();
          await one.kill();
          await sleep(500 + this.random.next() * 3_000);
          await one.start();
        },
      },
      {
        name: 'SIGTERM',
        weight: 2,
        run: async () => {
          const one = victim();
          await one.stop();
          await one.start();
        },
      },
      { name: 'provider answers 503', weight: 2, run: () => fault({ kind: 'status', status: 503 }, 5_000) },
      { name: 'provider answers 429', weight: 2, run: () => fault({ kind: 'rate-limit', retryAfter: '2', count: 20 }, 4_000) },
      { name: 'provider is slow', weight: 2, run: () => fault({ kind: 'latency', latencyMs: 1_500 }, 5_000) },
      { name: 'provider hangs', weight: 1, run: () => fault({ kind: 'hang', count: 5 }, 5_000) },
      { name: 'answers are cut', weight: 1, run: () => fault({ kind: 'cut-body', probability: 0.3 }, 5_000) },
      { name: 'tokens expire', weight: 2, run: () => Promise.resolve(void control.expireTokens('slack')) },
      {
        name: 'the destination fails',
        weight: 2,
        run: () =>
          during(
            5_000,
            () => (receiver.failing = true),
            () => (receiver.failing = false),
          ),
      },
      ...(redis
        ? [
            {
              name: 'Redis is gone',
              weight: 1,
              run: () =>
                during(
                  3_000,
                  () => redis.stop(),
                  () => redis.start(),
                ),
            },
          ]
        : []),
      ...(postgres
        ? [
            {
              name: 'Postgres crashes',
              weight: 1,
              run: () =>
                during(
                  1_000,
                  () => postgres.stop('immediate'),
                  () => postgres.start(),
                ),
            },
          ]
        : []),
    ];
  }
}
