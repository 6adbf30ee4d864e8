import { bufferedResponse } from './buffered-response';

const make = (text = '{"a":"ü"}', status = 200) =>
  bufferedResponse(Buffer.from(text), status, new Headers({ 'content-type': 'application/json', 'x-id': '1' }));

describe('an answer that is in memory', () => {
  it('is a Response like any other', async () => {
    const response = make('{}', 404);
    expect(response).toBeInstanceOf(Response);
    expect([response.ok, response.status, response.headers.get('x-id'), response.bodyUsed]).toEqual([false, 404, '1', false]);
    expect(make().ok).toBe(true);
  });

  it('reads as text, JSON, bytes, a blob and a stream', async () => {
    expect(await make().text()).toBe('{"a":"ü"}');
    expect(await make().json()).toEqual({ a: 'ü' });
    expect(Buffer.from(await make().arrayBuffer()).toString()).toBe('{"a":"ü"}');
    expect(await (await make().blob()).text()).toBe('{"a":"ü"}');
    const chunks: Uint8Array[] = [];
    for await (const chunk of make().body!) chunks.push(chunk as Uint8Array);
    expect(Buffer.concat(chunks).toString()).toBe('{"a":"ü"}');
  });

  it('is read once', async () => {
    const response = make();
    await response.text();
    expect(response.bodyUsed).toBe(true);
    await expect(response.json()).rejects.toThrow(TypeError);
    expect(() => response.clone()).toThrow(TypeError);
    const streamed = make();
    streamed.body!.getReader();
    expect(streamed.bodyUsed).toBe(true);
    await expect(streamed.text()).rejects.toThrow(TypeError);
  });

  it('is cloned for a second reader', async () => {
    const response = make();
    const second = response.clone();
    expect([await response.json(), await second.json(), second.headers.get('x-id')]).toEqual([{ a: 'ü' }, { a: 'ü' }, '1']);
  });
});
