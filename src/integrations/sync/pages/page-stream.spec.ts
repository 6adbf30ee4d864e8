import { setImmediate as nextTurn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { SyncPage } from '../../contract';
import { pageStream } from './page-stream';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

async function* pages(count: number, each: (page: SyncPage) => void = () => undefined): AsyncGenerator<SyncPage> {
  for (let n = 1; n <= count; n++) {
    const page = { records: [{ id: `r${n}`, data: n }], checkpoint: n };
    each(page);
    yield page;
    await nextTurn();
  }
}

it('keeps no page in memory that was handed on', async () => {
  const seen: WeakRef<SyncPage>[] = [];
  let alive = Infinity;
  for await (const { page } of pageStream(
    pages(40, (made) => seen.push(new WeakRef(made))),
    new AbortController().signal,
  )) {
    if (page.checkpoint !== 40) continue;
    await nextTurn(); // a WeakRef holds what it points at until the turn is over
    collectGarbage();
    alive = seen.filter((reference) => reference.deref()).length;
  }
  expect(alive).toBeLessThan(5);
});

it('ends the wait for a page when it is aborted, whatever the provider does', async () => {
  const stop = new AbortController();
  async function* hanging(): AsyncGenerator<SyncPage> {
    yield { records: [], checkpoint: 1 };
    await new Promise(() => undefined);
  }
  const stream = pageStream(hanging(), stop.signal);
  expect(await stream.next()).toMatchObject({ value: { last: false } });
  const waiting = stream.next();
  stop.abort(new Error('stopped'));
  await expect(waiting).rejects.toThrow('stopped');
});

it('hands on a page with a record that has no id only as a fault, after the pages before it', async () => {
  async function* broken(): AsyncGenerator<SyncPage> {
    yield { records: [], checkpoint: 1 };
    yield await Promise.resolve({ records: [{ id: '', data: 1 }], checkpoint: 2 });
  }
  const stream = pageStream(broken(), new AbortController().signal);
  expect(await stream.next()).toMatchObject({ value: { page: { checkpoint: 1 } } });
  await expect(stream.next()).rejects.toMatchObject({ code: 'provider_bad_answer' });
});
