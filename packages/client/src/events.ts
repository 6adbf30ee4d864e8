import { backOffMs, bearerOf, sleep, type SendOptions } from './send.ts';
import { errorOf, secondsOf, TrestleError } from './trestle-error.ts';

/** `sync`: a run as it goes on; `changes`: records changed, read them from the feed. */
export interface ConnectionEvent {
  readonly type: string;
  readonly data: unknown;
}

export interface EventOptions {
  readonly signal?: AbortSignal;
  /** Streams in a row that told nothing, before it ends with the last one's error, or without one where they were only empty. Default 5. */
  readonly maxFailures?: number;
}

const DEFAULT_MAX_FAILURES = 5;
/** A heartbeat comes every 15 s. */
const SILENT_MS = 45_000;
const MAX_EVENT_CHARS = 1024 * 1024;

/** One stream after the other. A refusal that trying again does not change is thrown at once. */
export async function* connectionEvents(url: string, call: SendOptions, options: EventOptions): AsyncGenerator<ConnectionEvent, void> {
  const { signal, maxFailures = DEFAULT_MAX_FAILURES } = options;
  const pace = { retryMs: undefined as number | undefined };
  for (let failures = 0; ;) {
    let failure: TrestleError | undefined;
    failures++;
    try {
      for await (const event of oneStream(url, call, { signal, pace })) {
        failures = 0;
        if (event.type !== 'heartbeat') yield event;
      }
    } catch (error) {
      if (signal?.aborted) return;
      failure = error instanceof TrestleError ? error : broken(error);
      if (!failure.retryable) throw failure;
    }
    if (failures >= maxFailures) {
      if (failure) throw failure;
      return;
    }
    const waitMs =
      failure?.retryAfter !== undefined ? failure.retryAfter * 1_000 : Math.max(pace.retryMs ?? 0, backOffMs(Math.max(1, failures)));
    try {
      await sleep(waitMs, signal);
    } catch {
      return; // the signal's wish
    }
  }
}

interface Stream {
  readonly signal: AbortSignal | undefined;
  readonly pace: { retryMs: number | undefined };
}

async function* oneStream(url: string, call: SendOptions, { signal, pace }: Stream): AsyncGenerator<ConnectionEvent, void> {
  const silent = new AbortController();
  const headers = { authorization: await bearerOf(call.token), accept: 'text/event-stream' };
  const until = AbortSignal.any([silent.signal, ...(signal ? [signal] : [])]);
  const heard = watch(silent);
  try {
    const response = await (call.fetch ?? fetch)(url, { headers, signal: until });
    if (!response.ok || !response.body) throw errorOf(response, await response.json().catch(() => undefined));
    heard.again();
    for await (const message of messagesOf(response.body, heard.again)) {
      if (message.retryMs !== undefined) pace.retryMs = message.retryMs;
      if (message.data !== '') yield { type: message.type, data: JSON.parse(message.data) as unknown };
    }
  } finally {
    heard.end();
    silent.abort();
  }
}

/** Aborts once nothing was heard for too long. */
function watch(silent: AbortController): { again: () => void; end: () => void } {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const end = () => clearTimeout(timer);
  const again = () => {
    end();
    timer = setTimeout(() => silent.abort(new Error('Nothing was heard on the stream for too long.')), SILENT_MS);
  };
  again();
  return { again, end };
}

interface Message {
  readonly type: string;
  readonly data: string;
  readonly retryMs: number | undefined;
}

/** https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation, of what Trestle sends: no ids. */
export async function* messagesOf(body: ReadableStream<Uint8Array>, heard: () => void = () => undefined): AsyncGenerator<Message, void> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let text = '';
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      heard();
      text += decoder.decode(value, { stream: true });
      const blocks = text.replace(/\r\n?/g, '\n').split('\n\n');
      text = blocks.pop() ?? '';
      if (text.length > MAX_EVENT_CHARS) throw new Error('An event of the stream is too long.');
      for (const block of blocks) yield messageOf(block);
    }
  } finally {
    await reader.cancel().catch(() => undefined); // it may have failed already
  }
}

function messageOf(block: string): Message {
  const fields = block.split('\n').map((line) => /^([^:]*):? ?(.*)$/.exec(line) ?? []);
  const valuesOf = (name: string) => fields.filter(([, field]) => field === name).map(([, , value]) => value ?? '');
  const retry = valuesOf('retry').at(-1);
  return {
    type: valuesOf('event').at(-1) ?? 'message',
    data: valuesOf('data').join('\n'),
    retryMs: retry === undefined ? undefined : (secondsOf(retry) ?? 0),
  };
}

function broken(cause: unknown): TrestleError {
  return new TrestleError(
    {
      code: 'network_failed',
      status: 0,
      detail: 'The stream of events broke off.',
      nextStep: 'Check whether Trestle is reached, then open it again.',
      retryable: true,
    },
    { cause },
  );
}
