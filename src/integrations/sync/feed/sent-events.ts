/** A stream ends after this at the latest; the browser opens it again, with a fresh token. */
export const LONGEST_MS = 60 * 60_000;

/** A proxy must not keep it back. */
export const STREAM_HEADERS = { 'content-type': 'text/event-stream', 'cache-control': 'no-store', 'x-accel-buffering': 'no' };

/** As they go over the wire: https://html.spec.whatwg.org/multipage/server-sent-events.html */
export async function* sentLines(messages: AsyncIterable<{ readonly type: string; readonly data: unknown }>): AsyncGenerator<string> {
  yield 'retry: 3000\n\n';
  for await (const { type, data } of messages) yield `event: ${type}\ndata: ${JSON.stringify(data)}\n\n`;
}
