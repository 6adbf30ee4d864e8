import type { Extent, SyncContext } from '../../contract';
import { PlainSyncService } from './plain-sync.service';
import type { PlainExtent, PlainPages, PlainProvider, PlainResource } from './plain-provider';

const PARTIAL = { at: 'header:x-partial', why: 'Some are left out.' };
const ADDRESS = 'https://api.acme.example/things';

/** Walks a list of which each answer has one item, and the headers that are given. @returns what the walk says of itself */
async function walked(
  page: PlainPages,
  answers: readonly ResponseInit[],
  {
    checkpoint,
    extent = 'whole',
    scopes,
    mode = 'full',
  }: { checkpoint?: unknown; extent?: PlainExtent; scopes?: readonly string[]; mode?: 'full' | 'incremental' } = {},
): Promise<Extent | void> {
  const declaration = {
    key: 'acme',
    apiBaseUrl: 'https://api.acme.example/',
    resources: [{ name: 'things', label: 'Things', extent, partial: PARTIAL, path: 'things', page, since: { param: 'since', as: 'ms' } }],
  } as unknown as PlainProvider;
  const left = [...answers];
  const context = {
    connection: { metadata: {}, accountId: 'a', scopes },
    fetch: () => Promise.resolve(new Response(JSON.stringify([{ id: left.length }]), left.shift())),
    checkpoint,
    signal: new AbortController().signal,
    now: () => 0,
  } as unknown as SyncContext;
  const [resource] = new PlainSyncService(declaration, {} as never).resources;
  const walk =
    mode === 'full' ? resource!.full(context) : resource!.incremental!({ ...context, cursor: { since: 0 } })[Symbol.asyncIterator]();
  for (let next = await walk.next(); ; next = await walk.next()) if (next.done) return next.value;
}

const linked = (query: string): ResponseInit => ({ headers: { link: `<${ADDRESS}?${query}>; rel="next"` } });

describe('a list of a plain provider is whole', () => {
  it.each([
    ['in one page by links', { by: 'link' }, [{}], true],
    ['in pages by links that hold a place', { by: 'link' }, [linked('after=cus_123'), {}], true],
    ['not in pages by links that hold a number', { by: 'link' }, [linked('per_page=100&page=2'), {}], false],
    ['not in pages by links that hold an offset', { by: 'link' }, [linked('offset=100'), {}], false],
    ['not in pages by links that hold how many to skip', { by: 'link' }, [linked('$skip=100'), {}], false],
    ['in one answer', { by: 'none' }, [{}], true],
    ['not where the one answer says that it is a part', { by: 'none' }, [{ status: 206 }], false],
    ['not where the one answer says what follows', { by: 'none' }, [{ headers: { 'next-range': 'id a..; max=200' } }], false],
    ['not where the one answer leads on', { by: 'none' }, [linked('after=x')], false],
  ] as const)('%s', async (_case, page, answers, complete) => {
    expect(await walked(page, answers)).toMatchObject({ complete });
  });

  it.each([
    [{ window: 'The newest 200.' }, 'The newest 200.'],
    [{ filtered: 'Archived ones are left out.' }, 'Archived ones are left out.'],
  ] as const)('not where it is declared as %j, however its pages end', async (extent, why) => {
    for (const page of [{ by: 'none' }, { by: 'link' }] as const)
      expect(await walked(page, [{}], { extent })).toEqual({ complete: false, why });
  });

  it('not where it goes on from a numbered page after an interruption', async () => {
    const checkpoint = { page: { url: `${ADDRESS}?page=3` }, since: 0 };
    expect(await walked({ by: 'link' }, [{}], { checkpoint })).toMatchObject({ complete: false });
  });

  it('not where an answer says that it leaves something out, be it before an interruption', async () => {
    const partial = { headers: { 'x-partial': 'yes' } };
    expect(await walked({ by: 'link' }, [partial])).toEqual({ complete: false, why: PARTIAL.why });
    expect(await walked({ by: 'link' }, [{ headers: { ...partial.headers, ...linked('after=x').headers } }, {}])).toEqual({
      complete: false,
      why: PARTIAL.why,
    });
    const checkpoint = { page: { url: `${ADDRESS}?after=x` }, since: 0, partial: true };
    expect(await walked({ by: 'link' }, [{}], { checkpoint })).toEqual({ complete: false, why: PARTIAL.why });
  });

  it('only with all the scopes that it needs for that, and not where they are not known', async () => {
    const extent = { wholeWith: ['a', 'b'], otherwise: 'Private ones are left out.' };
    const granted = (scopes?: string[]) => walked({ by: 'link' }, [{}], { extent, scopes });
    expect(await granted(['b', 'c', 'a'])).toEqual({ complete: true });
    for (const scopes of [['a'], [], undefined]) expect(await granted(scopes)).toEqual({ complete: false, why: extent.otherwise });
  });

  it('says nothing of itself where only what changed is asked for', async () => {
    for (const extent of ['whole', { window: 'The newest 200.' }] as const)
      expect(await walked({ by: 'link' }, [{}], { extent, mode: 'incremental' })).toBeUndefined();
  });
});

it('hangs on what its declaration names, where an item says so', async () => {
  const declaration = {
    key: 'acme',
    apiBaseUrl: 'https://api.acme.example/',
    resources: [
      {
        name: 'things',
        label: 'Things',
        extent: 'whole',
        path: 'things',
        page: { by: 'none' },
        partOf: { resource: 'boxes', at: '/box/id' },
      },
    ],
  } as unknown as PlainProvider;
  const context = {
    connection: { metadata: {}, accountId: 'a' },
    fetch: () => Promise.resolve(new Response(JSON.stringify([{ id: 1, box: { id: 7 } }, { id: 2 }]))),
    signal: new AbortController().signal,
    now: () => 0,
  } as unknown as SyncContext;
  const { value } = await new PlainSyncService(declaration, {} as never).resources[0]!.full(context).next();
  expect((value as { records: object[] }).records).toEqual([
    { id: '1', data: { id: 1, box: { id: 7 } }, partOf: { resource: 'boxes', id: '7' } },
    { id: '2', data: { id: 2 } },
  ]);
});

it('cannot be declared without a word about what it holds', () => {
  // @ts-expect-error -- what a list holds has no default: this line is refused by the compiler once there is one
  const forgotten: PlainResource = { name: 'things', label: 'Things', path: 'things', page: { by: 'none' } };
  expect(forgotten).not.toHaveProperty('extent');
});
