import { ask, json, startCallers, startRival, type Figures } from './callers/callers';
import { check, median, notRun, type Arm, type Benchmark } from './lib/benchmark';
import { interleave, times } from './lib/rounds';
import { QUICK, ROUNDS } from './lib/run-options';

const CONCURRENCY = 50;
const CALLS = QUICK ? 3_000 : 15_000;
const AXIOS_CALLS = CALLS / 5;
const ALONE_CALLS = QUICK ? 500 : 2_000;

const OURS = 'ours: the whole chain, with log, limits and token';
const BARE = 'limit: bare undici';
const AXIOS = 'axios + axios-retry + bottleneck';

interface Book {
  readonly count: number;
  readonly wrong: number;
}

export const benchmark: Benchmark = {
  id: 'B5',
  title: `an outbound call to a local server, c=${CONCURRENCY}`,
  async run({ databaseUrl }) {
    // The log of requests goes to a server, as in production; limits are those of one process, as without Redis.
    if (!databaseUrl) return { arms: [], checks: [notRun('B5', 'needs a Postgres server')] };
    const origin = await startRival('json-origin.cjs');
    const cluster = await startCallers({ processes: 1, databaseUrl, env: { REDIS_URL: '' } });
    const rivals = await Promise.all(['outbound-undici.cjs', 'outbound-axios.cjs'].map((file) => startRival(file, { ORIGIN: origin.url })));
    const [undici, axios] = rivals as [(typeof rivals)[0], (typeof rivals)[0]];
    try {
      const { connectionId } = await ask<{ connectionId: string }>(cluster, 0, 'providers', { origin: origin.url, connect: true });
      const book = () => json<Book>(`${origin.url}/book`);
      const ours = (calls: number, concurrency: number) => ask<Figures>(cluster, 0, `${connectionId}/calls`, { calls, concurrency });
      let right = true;
      const arm = (name: string, calls: number, run: (calls: number, concurrency: number) => Promise<Figures>): Arm => ({
        name,
        unit: 'calls/s',
        round: async () => {
          await book();
          const { perSecond } = await run(calls, CONCURRENCY);
          const { count, wrong } = await book();
          right &&= count === calls && wrong === 0;
          return perSecond;
        },
      });
      await ours(CALLS, CONCURRENCY);
      const rounds = await interleave([arm(OURS, CALLS, ours), arm(BARE, CALLS, undici.run), arm(AXIOS, AXIOS_CALLS, axios.run)], ROUNDS);
      // One call at a time: what the chain adds to a call, not how calls queue for the processor.
      const added: number[] = [];
      for (let round = -1; round < ROUNDS; round++) {
        const bare = await undici.run(ALONE_CALLS, 1);
        const chain = await ours(ALONE_CALLS, 1);
        if (round >= 0) added.push(chain.p50Ms - bare.p50Ms);
      }
      const [againstBare, againstAxios] = [rounds.ratio(OURS, BARE), rounds.ratio(OURS, AXIOS)];
      return {
        arms: rounds.arms,
        checks: [
          check(
            'added p50, one call at a time',
            '<= 0.1 ms',
            `${median(added).toFixed(3)} ms (${Math.min(...added).toFixed(3)}-${Math.max(...added).toFixed(3)})`,
            median(added) <= 0.1,
          ),
          check('ours / bare undici', '>= 0.5x', times(againstBare), againstBare.median >= 0.5),
          check('ours / axios', '>= 20x', times(againstAxios), againstAxios.median >= 20),
          check('each call arrived once, with its token', 'all', right ? 'all' : 'not all', right),
        ],
      };
    } finally {
      await Promise.all([...rivals, origin].map((each) => each.kill()));
      await cluster.stop();
    }
  },
};
