import { SyncHarness } from '../testing/sync-harness';
import { FakeRemote } from '../testing/fake-remote';
import { recordBatch } from '../record-batch';
import { APPLY_BATCH } from '../record-sql';
const N = 50_000, PAGE = Number(process.env.PAGE ?? 100);
function row(i: number) { return { id: `evt_${String(i).padStart(8,'0')}`, data: { id: `evt_${i}`, kind: 'calendar#event', etag: `"${i*7919}"`, status: 'confirmed', htmlLink: `https://www.example.com/calendar/event?eid=${i}abcdefghijklmnop`, created: '2026-01-01T00:00:00.000Z', updated: '2026-01-01T00:00:00.000Z', summary: `Meeting number ${i}`, creator: { email: 'someone@example.com', self: true }, start: { dateTime: '2026-02-01T10:00:00Z' }, end: { dateTime: '2026-02-01T11:00:00Z' }, iCalUID: `${i}@google.com`, sequence: 0 } }; }
it('bench', async () => {
  const h = await SyncHarness.start();
  const ds = h.database.dataSource;
  const p = h.process();
  const all = Array.from({ length: N }, (_, i) => row(i));
  const out: string[] = [];
  const time = async (name: string, work: () => Promise<unknown>) => { const t = performance.now(); const c = process.cpuUsage(); await work(); const u = process.cpuUsage(c); out.push(`${name}: ${Math.round(performance.now() - t)} ms (js cpu ${Math.round((u.user + u.system) / 1000)})`); };
  for (let round = 0; round < 2; round++) {
    const c1 = await h.connect('x');
    await time('apply first', async () => { for (let i = 0; i < N; i += PAGE) await ds.transaction((m) => p.records.apply(m, c1, 'events', '', all.slice(i, i + PAGE))); });
    await time('apply unchanged', async () => { for (let i = 0; i < N; i += PAGE) await ds.transaction((m) => p.records.apply(m, c1, 'events', '', all.slice(i, i + PAGE))); });
    const c3 = await h.connect('x');
    const texts = all.map((r) => JSON.stringify(r.data));
    await time('plain unnest insert', async () => { for (let i = 0; i < N; i += PAGE) await ds.transaction((m) => m.query(`INSERT INTO records (connection_id, resource, partition, external_id, data, hash, change_no) SELECT $1, 'events', '', u.id, u.data::jsonb, decode(md5(u.id),'hex'), $4 + u.n FROM unnest($2::text[], string_to_array($3, chr(30))) WITH ORDINALITY u(id, data, n)`, [c3.id, all.slice(i, i + PAGE).map((r) => r.id), texts.slice(i, i + PAGE).join('\x1e'), i])); });
    const c4 = await h.connect('x');
    await time('one statement for all', async () => { await ds.query(`INSERT INTO records (connection_id, resource, partition, external_id, data, hash, change_no) SELECT $1, 'events', '', u.id, u.data::jsonb, decode(md5(u.id),'hex'), u.n FROM unnest($2::text[], string_to_array($3, chr(30))) WITH ORDINALITY u(id, data, n)`, [c4.id, all.map((r) => r.id), texts.join('\x1e')]); });
    await time('empty transactions, 500 x begin+2 selects+commit', async () => { for (let i = 0; i < N; i += PAGE) await ds.transaction(async (m) => { await m.query('SELECT 1'); await m.query('SELECT 1'); }); });
    await time('batching', async () => { for (let i = 0; i < N; i += PAGE) recordBatch(all.slice(i, i + PAGE)); });
  }
  const c = await h.connect('x');
  await ds.transaction((m) => p.records.lock(m, c.id));
  const b = recordBatch(all.slice(0, 100));
  const plan = await ds.query(`EXPLAIN (ANALYZE, BUFFERS OFF) ${APPLY_BATCH}`, [c.id, 'events', '', b.ids, b.texts, b.hashes, b.versions, b.deleted, new Date()]);
  const plan2 = await ds.query(`EXPLAIN (ANALYZE, BUFFERS OFF) ${APPLY_BATCH}`, [c.id, 'events', '', b.ids, b.texts, b.hashes, b.versions, b.deleted, new Date()]);
  console.log(h.database.kind, out.join('\n') + '\n' + plan.map((r: any) => r['QUERY PLAN']).join('\n') + '\n--\n' + plan2.map((r: any) => r['QUERY PLAN']).filter((l: string) => /Time|Trigger/.test(l)).join('\n'));
  await h.close();
}, 300000);
