import type { Settings } from '../../config/env';
import type { HandlerContext, SyncRecord, WebhookEvent } from '../../integrations';
import { SyncHarness } from '../../integrations/sync/testing/sync-harness';
import { SlackChannelHandler, SlackMessageHandler, type SlackEnvelope } from './slack-records.handlers';

let harness: SyncHarness;
beforeAll(async () => {
  harness = await SyncHarness.start();
});
afterAll(() => harness.close());

const channels = new SlackChannelHandler({ providers: {} } as unknown as Settings);

/** What is stored once these events were handled, one after the other. */
async function after(...events: Record<string, unknown>[]): Promise<unknown> {
  const process = harness.process();
  const connection = await harness.connect('slack');
  for (const [n, event] of events.entries()) {
    const payload: SlackEnvelope<Record<string, unknown>> = { event: { type: 'message', channel: 'C1', ...event } };
    const delivered: WebhookEvent<SlackEnvelope<Record<string, unknown>>> = {
      id: `e${n}`,
      provider: 'slack',
      eventId: `Ev${n}`,
      type: 'message',
      payload,
      headers: {},
      receivedAt: new Date(),
      attempt: 1,
    };
    await harness.database.dataSource.transaction(async (manager) => {
      const context: HandlerContext = {
        connection,
        manager,
        signal: new AbortController().signal,
        applyRecords: async (resource, records, { partition = '' } = {}) =>
          void (await process.records.apply(manager, connection, resource, partition, records)),
        requestSync: () => Promise.resolve(),
        partsOf: (resource, partOf) => process.records.partsOf(manager, connection, resource, partOf),
        tendWatch: () => Promise.resolve(),
        alsoFor: () => Promise.resolve(),
        markRevoked: () => Promise.resolve(),
      };
      if (payload.event.type === 'message') await new SlackMessageHandler().handle(delivered, context);
      else await channels.handle(delivered, context, event['record'] as SyncRecord);
    });
  }
  return Object.fromEntries(await harness.stored(connection.id));
}

const parent = { ts: '1.000001', text: 'parent text', user: 'U1' };
const replied = { ...parent, type: 'message', thread_ts: parent.ts, reply_count: 1 };

describe('a message that comes in a wrapper', () => {
  it.each([{ subtype: 'message_replied' }, {}])('is stored as itself (%j)', async (subtype) => {
    const wrapper = { ...subtype, hidden: true, message: replied, event_ts: '9.000009', ts: '9.000009' };
    expect(await after(parent, wrapper)).toEqual({ '/C1:1.000001': { ...replied, channel: 'C1' } });
  });

  it('is changed by an edit, and keeps nothing of the envelope', async () => {
    const edited = { ...parent, type: 'message', text: 'better', edited: { user: 'U1', ts: '3.000003' } };
    const wrapper = { subtype: 'message_changed', hidden: true, message: edited, previous_message: parent, ts: '3.000003' };
    expect(await after(parent, wrapper)).toEqual({ '/C1:1.000001': { ...edited, channel: 'C1' } });
  });

  it('is gone by a deletion, also where its replies keep a gravestone in its place', async () => {
    const deleted = { subtype: 'message_deleted', hidden: true, deleted_ts: parent.ts, previous_message: parent, ts: '4.000004' };
    expect(await after(parent, deleted)).toEqual({});
    const { subtype, ...bare } = deleted;
    expect(subtype).toBeDefined();
    expect(await after(parent, bare)).toEqual({});
    const gravestone = { subtype: 'message_changed', hidden: true, message: { ...replied, subtype: 'tombstone' }, ts: '4.000004' };
    expect(await after(parent, gravestone)).toEqual({});
  });

  it('is stored as said when it is a reply', async () => {
    const reply = { ts: '2.000002', text: 'a reply', user: 'U2', thread_ts: parent.ts };
    expect(await after(parent, reply)).toMatchObject({ '/C1:2.000002': { text: 'a reply', thread_ts: parent.ts } });
  });
});

describe('a channel', () => {
  const told = (type: string, record: SyncRecord) => ({ type, record });

  it('takes its messages with it when it is deleted', async () => {
    const open = told('channel_created', { id: 'C1', data: { id: 'C1' } });
    expect(await after(open, parent, told('channel_deleted', { id: 'C1', deleted: true }))).toEqual({});
  });

  it('is under its new id where that changed, and no longer under the old', async () => {
    const open = told('channel_created', { id: 'G1', data: { id: 'G1' } });
    const changed = { ...told('channel_id_changed', { id: 'C2', data: { id: 'C2' } }), old_channel_id: 'G1', new_channel_id: 'C2' };
    expect(await after(open, changed)).toEqual({ '/C2': { id: 'C2' } });
  });

  it.each([
    ['', false],
    ['private/', true],
  ])(
    'takes its messages along where its id changed, and only its own, and they are no longer under the old (%s)',
    async (at, isPrivate) => {
      const data = { id: 'C2', is_private: isPrivate };
      const open = told('channel_created', { id: 'C1', data: { id: 'C1' } });
      const changed = { ...told('channel_id_changed', { id: 'C2', data }), old_channel_id: 'C1', new_channel_id: 'C2' };
      const many = Array.from({ length: 501 }, (_, n) => ({ ts: `2.${String(n).padStart(6, '0')}`, text: `${n}`, user: 'U1' }));
      const other = { ...parent, channel: 'C11' };
      const stored = (await after(open, parent, other, ...many, changed)) as Record<string, { channel?: string }>;
      expect(Object.keys(stored).sort()).toEqual(
        [`${at}C2`, 'C11:1.000001', 'C2:1.000001', ...many.map(({ ts }) => `C2:${ts}`)]
          .map((key) => (key.includes('/') ? key : `/${key}`))
          .sort(),
      );
      expect(stored['/C2:1.000001']).toEqual({ ...parent, type: 'message', channel: 'C2' });
      // They hang on the new one from now on.
      const gone = told('channel_deleted', { id: 'C2', deleted: true });
      expect(Object.keys((await after(open, parent, changed, gone)) as object)).toEqual([]);
    },
  );

  it('asks for no message anew where the old id is not told', async () => {
    const open = told('channel_created', { id: 'C1', data: { id: 'C1' } });
    const changed = { ...told('channel_id_changed', { id: 'C2', data: { id: 'C2' } }), new_channel_id: 'C2' };
    expect(Object.keys((await after(open, parent, changed)) as object).sort()).toEqual(['/C1', '/C1:1.000001', '/C2']);
  });

  it('keeps them when it becomes private, and takes them when it is deleted then', async () => {
    const open = told('channel_created', { id: 'C1', data: { id: 'C1' } });
    const data = { id: 'C1', is_private: true };
    expect(await after(open, parent, told('group_rename', { id: 'C1', data }))).toMatchObject({
      'private/C1': data,
      '/C1:1.000001': parent,
    });
    const gone = told('group_deleted', { id: 'C1', deleted: true });
    expect(await after(open, parent, told('group_rename', { id: 'C1', data }), gone)).toEqual({});
  });
});
