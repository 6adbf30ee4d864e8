import { Logger } from '@nestjs/common';
import fc from 'fast-check';
import { IntegrationError } from '../../../errors';
import { FakeRemote } from '../testing/fake-remote';
import { FeedReader, SyncHarness, type SyncProcess } from '../testing/sync-harness';

Logger.overrideLogger(false);

/** `SEEDS=1000 npx jest sync-model` for the long run. */
const RUNS = Number(process.env['SEEDS'] ?? 60);

type Step =
  | { do: 'put'; partition: number; id: number; value: number }
  | { do: 'remove'; partition: number; id: number }
  | { do: 'partition'; partition: number; gone: boolean }
  | { do: 'forget'; partition: number }
  | { do: 'event'; partition: number; id: number }
  | { do: 'notify'; times: number }
  | { do: 'run'; type: 'full' | 'incremental'; fault: 'none' | 'crash' | 'failure' | 'change'; at: number }
  | { do: 'read' };

const partition = fc.integer({ min: 0, max: 2 });
const id = fc.integer({ min: 0, max: 14 });
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: fc.constant('put' as const), partition, id, value: fc.integer({ min: 0, max: 3 }) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('remove' as const), partition, id }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('partition' as const), partition, gone: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('forget' as const), partition }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('event' as const), partition, id }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('notify' as const), times: fc.integer({ min: 1, max: 3 }) }) },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('run' as const),
      type: fc.constantFrom('full' as const, 'incremental' as const),
      fault: fc.constantFrom('none' as const, 'crash' as const, 'failure' as const, 'change' as const),
      at: fc.integer({ min: 1, max: 5 }),
    }),
  },
  { weight: 3, arbitrary: fc.constant({ do: 'read' as const }) },
);

/** The remote's events as a webhook would bring them: the state of an object when it was asked, with its version. */
class World {
  readonly remote = new FakeRemote();
  process: SyncProcess;
  connectionId = '';
  private reader?: FeedReader;
  private provider = '';

  constructor(private readonly harness: SyncHarness) {
    this.remote.pageSize = 4;
    this.process = harness.process();
  }

  async start(): Promise<void> {
    this.provider = this.harness.provider(this.remote.sync({ partitioned: true }));
    const connection = await this.harness.connect(this.provider);
    this.connectionId = connection.id;
    this.reader = new FeedReader(this.process.feed, this.connectionId);
  }

  async take(step: Step): Promise<void> {
    switch (step.do) {
      case 'put':
        return this.remote.list(`p${step.partition}`).put(`r${step.id}`, step.value);
      case 'remove':
        return this.remote.list(`p${step.partition}`).remove(`r${step.id}`);
      case 'partition':
        return step.gone ? void this.remote.lists.delete(`p${step.partition}`) : void this.remote.list(`p${step.partition}`);
      case 'forget':
        return this.remote.list(`p${step.partition}`).forgetCursors();
      case 'event':
        return this.event(step);
      case 'notify':
        for (let i = 0; i < step.times; i++)
          await this.process.service.request(this.connectionId, { type: 'incremental', trigger: 'webhook' });
        return;
      case 'run':
        return this.run(step);
      case 'read':
        return this.reader?.catchUp();
    }
  }

  /** Quiet at the remote; what was begun is ended, and one more run done. */
  async settle(type: 'full' | 'incremental'): Promise<void> {
    this.remote.beforePage = () => undefined;
    await this.harness.endLeases();
    await this.harness.endWaits();
    await this.process.drain();
    await this.process.service.request(this.connectionId, { type, trigger: 'schedule' });
    await this.process.drain();
    await this.reader?.catchUp();
  }

  get expected(): Map<string, unknown> {
    return new Map(
      [...this.remote.lists].flatMap(([name, list]) => [...list.items].map(([key, { value }]) => [`${name}/${key}`, value] as const)),
    );
  }

  get read(): Map<string, unknown> | undefined {
    return this.reader?.known;
  }

  private async event(step: { partition: number; id: number }): Promise<void> {
    const list = this.remote.lists.get(`p${step.partition}`);
    const item = list?.items.get(`r${step.id}`);
    if (!list || !item) return;
    const record = { id: `r${step.id}`, data: item.value, version: item.version };
    const times = 2; // delivered twice
    for (let i = 0; i < times; i++) {
      await this.harness.database.dataSource.transaction((manager) =>
        this.process.records.apply(manager, { id: this.connectionId }, 'items', `p${step.partition}`, [record]),
      );
    }
  }

  private async run(step: Extract<Step, { do: 'run' }>): Promise<void> {
    const start = this.remote.ledger.length;
    let reached = () => undefined as void;
    const crashed = new Promise<'crashed'>((resolve) => (reached = () => resolve('crashed')));
    this.remote.beforePage = ({ partition }) => {
      if (this.remote.ledger.length !== start + step.at) return;
      if (step.fault === 'failure') throw new IntegrationError('provider_unavailable');
      if (step.fault === 'change') {
        this.remote.list(partition).remove('r3');
        this.remote.list(partition).put('r1', 'in between');
      }
      if (step.fault === 'crash') {
        reached();
        return new Promise<void>(() => undefined);
      }
    };
    await this.process.service.request(this.connectionId, { type: step.type, trigger: 'schedule' });
    if ((await Promise.race([this.process.step(), crashed])) === 'crashed') {
      await this.harness.endLeases();
      this.process = this.harness.process();
    }
    this.remote.beforePage = () => undefined;
    await this.harness.endWaits();
  }
}

describe('whatever happens', () => {
  let harness: SyncHarness;
  beforeAll(async () => {
    harness = await SyncHarness.start();
  });
  afterAll(() => harness.close());

  it(
    'the stored set ends equal to the remote one, and a reader who tails the feed has seen it all',
    async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
          const world = new World(harness);
          await world.start();
          for (const one of steps) await world.take(one);
          for (const type of ['incremental', 'full'] as const) {
            await world.settle(type);
            const stored = await harness.stored(world.connectionId);
            expect(stored).toEqual(world.expected);
            expect(world.read).toEqual(stored);
          }
          await harness.query('DELETE FROM connections WHERE id = $1', [world.connectionId]);
        }),
        { numRuns: RUNS, ...(process.env['SEED'] && { seed: Number(process.env['SEED']) }) },
      );
    },
    RUNS * 3_000,
  );
});
