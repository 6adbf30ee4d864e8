import { useConnectedApp } from '../../../test/support/connected-app';

interface Replies {
  readonly data: readonly { readonly ts: string; readonly text: string; readonly user?: string; readonly botId?: string }[];
  readonly nextCursor: string | null;
}

const test = useConnectedApp();
const replies = (query: Record<string, string>) =>
  test.call<Replies>('GET', 'slack', `slack/replies?${new URLSearchParams(query).toString()}`);
const send = async (text: string, threadTs?: string) =>
  (
    await test.call<{ ts: string; channel: string }>('POST', 'slack', 'slack/messages', {
      channel: 'general',
      text,
      ...(threadTs && { threadTs }),
    })
  ).body;

it("lists a thread's replies page by page, from the message that began it, and no other message", async () => {
  const { ts: threadTs, channel } = await send('The question');
  for (const text of ['One', 'Two']) await send(text, threadTs);
  await send('Of another thread', (await send('Another question')).ts);
  await send('Three', threadTs);

  const texts: string[] = [];
  const sizes: number[] = [];
  for (let cursor: string | null | undefined; cursor !== null;) {
    const { status, body } = await replies({ channel, threadTs, limit: '3', ...(cursor && { cursor }) });
    expect(status).toBe(200);
    sizes.push(body.data.length);
    texts.push(...body.data.map(({ text }) => text));
    cursor = body.nextCursor;
  }
  expect(texts).toEqual(['The question', 'One', 'Two', 'Three']);
  expect(sizes).toEqual([3, 1]);
  const { body } = await test.call<Replies>('POST', 'slack', 'operations/replies.list', { channel, threadTs });
  expect(body.data[0]).toMatchObject({ ts: threadTs, text: 'The question', botId: expect.stringMatching(/^B/) as string });
});

it('says what is wrong with what it is asked', async () => {
  const { ts: threadTs, channel } = await send('Alone');
  expect(await replies({ channel, threadTs: '1.000001' })).toMatchObject({ status: 404, body: { code: 'provider_not_found' } });
  expect(await replies({ channel: 'C_NOWHERE', threadTs })).toMatchObject({ status: 404, body: { code: 'provider_not_found' } });
  expect(await replies({ channel, threadTs, cursor: Buffer.from('{"cursor":"x"}').toString('base64url') })).toMatchObject({
    status: 400,
    body: { code: 'invalid_cursor' },
  });
  expect(await replies({ channel: 'general', threadTs })).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
  expect(await replies({ channel, threadTs, from: '1' })).toMatchObject({ status: 400 });
});

it('names the permission that a private channel wants', async () => {
  const { sandbox } = test.app;
  const token = String(sandbox.control.mint({ provider: 'slack', scopes: ['groups:read'] })['access_token']);
  const listed = await fetch(`${sandbox.urls.slack}/api/conversations.list?types=private_channel`, {
    headers: { authorization: `Bearer ${token}` },
  });
  const { channels } = (await listed.json()) as { channels: { id: string }[] };
  const answer = await replies({ channel: channels[0]!.id, threadTs: '1.000001' });
  expect(answer).toMatchObject({ status: 403, body: { code: 'missing_scope' } });
  expect(JSON.stringify(answer.body)).toContain('groups:history');
});
