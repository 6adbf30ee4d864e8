import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { KeepAliveConnection } from './keep-alive-connection';
import type { EffectJob, EffectResult, LoadAnswer, LoadJob, LoadRequest, LoadResult } from './load';
import { eventId, signedRequest, signedRequests } from './stripe-delivery';

/** An effect that has not come by then is lost. */
const LOST_AFTER_MS = 120_000;
/** Channel on which the databases of the benchmarks tell of committed effects. */
export const EFFECT_CHANNEL = 'bench_effect';

let effectsStopped = false;

async function deliver({ port, path, series, connections, perSecond }: LoadJob): Promise<LoadResult> {
  const requests = signedRequests(path, series);
  const open = Array.from({ length: connections }, () => new KeepAliveConnection(port));
  await Promise.all(open.map((connection) => connection.open()));
  const statuses: Record<string, number> = {};
  const latenciesMs: number[] = [];
  let next = 0;
  const begin = performance.now();
  let end = begin;
  const worker = async (connection: KeepAliveConnection) => {
    for (;;) {
      const index = next++;
      const request = requests[index];
      if (!request) return;
      let from = performance.now();
      if (perSecond !== undefined) {
        const due = begin + (index * 1_000) / perSecond;
        if (due > from) await sleep(due - from);
        from = due;
      }
      const status = await connection.send(request).catch((error: Error) => error.message);
      end = performance.now();
      latenciesMs.push(end - from);
      statuses[status] = (statuses[status] ?? 0) + 1;
    }
  };
  await Promise.all(open.map(worker));
  for (const connection of open) connection.close();
  return { ms: end - begin, statuses, latenciesMs };
}

async function untilEffect({ port, path, series, databaseUrl, pauseMs, overlapping }: EffectJob): Promise<EffectResult> {
  effectsStopped = false;
  const listener = new Client({ connectionString: databaseUrl });
  await listener.connect();
  const arrived = new Map<string, (at: number) => void>();
  listener.on('notification', ({ payload }) => arrived.get(payload ?? '')?.(performance.now()));
  await listener.query(`LISTEN ${EFFECT_CHANNEL}`);
  const idle: KeepAliveConnection[] = [];
  const statuses: Record<string, number> = {};
  const sentToEffectMs: number[] = [];
  const answeredToEffectMs: number[] = [];

  const one = async (number: number) => {
    const id = eventId(series.name, number);
    const request = signedRequest(path, id, series.account);
    const lost = new AbortController();
    const effect = new Promise<number>((resolve) => arrived.set(id, resolve));
    const connection = idle.pop() ?? new KeepAliveConnection(port);
    const sent = performance.now();
    const status = await connection.send(request);
    const answered = performance.now();
    idle.push(connection);
    statuses[status] = (statuses[status] ?? 0) + 1;
    const at = await Promise.race([effect, sleep(LOST_AFTER_MS, Number.NaN, { signal: lost.signal }).catch(() => Number.NaN)]);
    lost.abort();
    arrived.delete(id);
    if (Number.isNaN(at)) throw new Error(`the effect of ${id} did not come within ${LOST_AFTER_MS / 1_000} s`);
    sentToEffectMs.push(at - sent);
    answeredToEffectMs.push(at - answered);
  };

  const running: Promise<void>[] = [];
  for (let number = 0; number < series.count && !effectsStopped; number++) {
    const delivery = one(number);
    if (overlapping) running.push(delivery);
    else await delivery;
    await sleep(pauseMs * (1 + Math.random()));
  }
  await Promise.all(running);
  for (const connection of idle) connection.close();
  await listener.end();
  return { sentToEffectMs, answeredToEffectMs, statuses };
}

process.on('message', (request: LoadRequest) => {
  const work = (): Promise<LoadResult | EffectResult> => {
    if ('load' in request) return deliver(request.load);
    if ('effect' in request) return untilEffect(request.effect);
    effectsStopped = true;
    return Promise.resolve({ ms: 0, statuses: {}, latenciesMs: [] });
  };
  const { no } = request;
  work().then(
    (result) => process.send?.({ no, result } satisfies LoadAnswer),
    (error: unknown) =>
      process.send?.({ no, error: error instanceof Error ? (error.stack ?? error.message) : String(error) } satisfies LoadAnswer),
  );
});
process.on('disconnect', () => process.exit(0));
