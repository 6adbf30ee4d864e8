import { setImmediate as turn } from 'node:timers/promises';
import type { SyncPage } from '../provider';
import { HASH_BYTES } from './canonical-json';
import { PAGES_FOR_ONE_AHEAD, pageStream, type ArrivedPages } from './page-stream';
import { SEPARATOR } from './record-batch';

/** A provider whose pages are at hand, and which counts how many it was asked for. */
class Provider {
  asked = 0;
  closed = false;

  constructor(
    private readonly pages: number,
    private readonly page: (no: number) => Partial<SyncPage> = (no) => ({ checkpoint: { no } }),
    private readonly failure?: Error,
  ) {}

  async *walk(): AsyncIterable<SyncPage> {
    try {
      for (let no = 1; no <= this.pages; no++) {
        this.asked = no;
        await turn();
        yield { records: [{ id: `r${no}`, data: no }], ...this.page(no) };
      }
      if (this.failure) throw this.failure;
    } finally {
      this.closed = true;
    }
  }
}

const idsOf = (pages: readonly ArrivedPages[]) => pages.flatMap(({ batch }) => batch.ids);
const numbered = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, n) => `r${from + n}`);
const settle = async () => {
  for (let n = 0; n < 50; n++) await turn();
};

/** Takes everything; while each is stored, whatever may be fetched ahead is fetched. */
async function slowly(provider: Provider, seen: (arrived: ArrivedPages, asked: number) => void = () => undefined): Promise<ArrivedPages[]> {
  const all: ArrivedPages[] = [];
  for await (const arrived of pageStream(provider.walk(), new AbortController().signal)) {
    all.push(arrived);
    await settle();
    seen(arrived, provider.asked);
  }
  return all;
}

describe('the pages of a walk', () => {
  it('come one by one at first, and none is fetched ahead', async () => {
    const provider = new Provider(5);
    const all = await slowly(provider, ({ checkpoint }, asked) => expect(checkpoint).toEqual({ no: asked }));
    expect(all.map(({ batch }) => batch.ids)).toEqual([['r1'], ['r2'], ['r3'], ['r4'], ['r5']]);
  });

  it('come together later, in their order, with the checkpoint of the last, and never more than their share of the walk', async () => {
    const provider = new Provider(300);
    let stored = 0;
    const all = await slowly(provider, (arrived, asked) => {
      stored += arrived.fetched;
      expect(arrived.checkpoint).toEqual({ no: stored });
      expect(asked - stored).toBeLessThanOrEqual(Math.ceil(asked / PAGES_FOR_ONE_AHEAD));
    });
    expect(idsOf(all)).toEqual(numbered(1, 300));
    expect(all.length).toBeLessThan(100);
    expect(all.at(-1)).toMatchObject({ last: true, checkpoint: { no: 300 } });
  });

  it('wait to be stored only so many', async () => {
    const records = (no: number) => Array.from({ length: 200 }, (_, n) => ({ id: `r${no}.${n}`, data: n }));
    const all = await slowly(new Provider(100, (no) => ({ records: records(no), checkpoint: { no } })));
    expect(Math.max(...all.map(({ fetched }) => fetched))).toBe(600);
    const large = 'x'.repeat(150_000);
    const wide = await slowly(new Provider(60, (no) => ({ records: [{ id: `r${no}`, data: large }], checkpoint: { no } })));
    expect(Math.max(...wide.map(({ fetched }) => fetched))).toBe(2);
  });

  it('are stored one after the other when a record comes again', async () => {
    const all = await slowly(new Provider(60, (no) => ({ records: [{ id: `r${Math.floor(no / 2)}`, data: no }], checkpoint: { no } })));
    for (const { batch, fetched } of all) expect(new Set(batch.ids).size).toBe(fetched);
    expect(all.reduce((sum, { fetched }) => sum + fetched, 0)).toBe(60);
  });

  it('without a checkpoint are handed on when it is known whether another one follows', async () => {
    const all = await slowly(new Provider(30, (no) => (no === 30 ? { cursor: { head: 30 } } : {})));
    expect(idsOf(all)).toEqual(numbered(1, 30));
    expect(all.map(({ last }) => last)).toEqual([...all.slice(1).map(() => false), true]);
    expect(all.at(-1)).toMatchObject({ cursor: { head: 30 }, checkpoint: undefined });
  });

  it('keep versions and deletions where only some of those that come together have them', async () => {
    const all = await slowly(
      new Provider(60, (no) => {
        const record = no % 3 === 0 ? { id: `r${no}`, deleted: true } : { id: `r${no}`, data: no, ...(no % 3 === 1 && { version: no }) };
        return { records: no % 10 === 0 ? [] : [record], checkpoint: { no } };
      }),
    );
    for (const { batch } of all) {
      batch.ids.forEach((id, index) => {
        const no = Number(id.slice(1));
        expect(batch.deleted?.[index] ?? false).toBe(no % 3 === 0);
        expect(batch.versions?.[index] ?? null).toBe(no % 3 === 1 ? no : null);
        expect(batch.texts.split(SEPARATOR)[index]).toBe(no % 3 === 0 ? 'null' : String(no));
      });
      expect(batch.hashes).toHaveLength(batch.size * HASH_BYTES);
    }
  });

  it('keep what only an earlier one of those that come together has told', async () => {
    const all = await slowly(new Provider(60, (no) => (no % 2 ? { checkpoint: { no } } : { checkpoint: { no }, cursor: null, total: no })));
    const together = all.filter(({ fetched }) => fetched > 1);
    expect(together.length).toBeGreaterThan(0);
    for (const { cursor, total } of together) expect({ cursor, total: typeof total }).toEqual({ cursor: null, total: 'number' });
  });

  it('are handed on before the failure that came after them', async () => {
    const all: ArrivedPages[] = [];
    const provider = new Provider(40, undefined, new Error('gone'));
    const walk = async () => {
      for await (const arrived of pageStream(provider.walk(), new AbortController().signal)) {
        all.push(arrived);
        await settle();
      }
    };
    await expect(walk()).rejects.toThrow('gone');
    expect(idsOf(all)).toEqual(numbered(1, 40));
    expect(all.every(({ last }) => !last)).toBe(true);
  });

  it('end with the signal, however long the provider would wait', async () => {
    const controller = new AbortController();
    const endless = async function* (): AsyncIterable<SyncPage> {
      yield { records: [], checkpoint: 1 };
      await new Promise(() => undefined);
    };
    const walk = async () => {
      for await (const arrived of pageStream(endless(), controller.signal))
        if (arrived) setImmediate(() => controller.abort(new Error('stop')));
    };
    await expect(walk()).rejects.toThrow('stop');
  });

  it('are not asked for any more when nobody takes them', async () => {
    const provider = new Provider(300);
    for await (const { checkpoint } of pageStream(provider.walk(), new AbortController().signal)) {
      if ((checkpoint as { no: number }).no >= 50) break;
    }
    await settle();
    expect(provider.closed).toBe(true);
    expect(provider.asked).toBeLessThan(60);
  });
});
