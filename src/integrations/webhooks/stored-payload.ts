/** Where the delivery came in, of its trace: kept with its headers, so that a delivery that nobody traces costs nothing more. */
export const TRACE_HEADER = 'traceparent';

/** What a delivery brought, for all of its events: read once, and by nobody changed. */
export class StoredPayload {
  private read?: { readonly value: unknown };

  constructor(
    readonly headers: Readonly<Record<string, string>>,
    /** Null once its time is over. */
    readonly body: Buffer | null,
  ) {}

  get traceparent(): string | undefined {
    return this.headers[TRACE_HEADER];
  }

  /** JSON, a form, or text; undefined for an empty body. Frozen, as handlers of several events share it. */
  get value(): unknown {
    this.read ??= { value: frozen(valueOf(this)) };
    return this.read.value;
  }
}

function valueOf({ body, headers }: StoredPayload): unknown {
  if (!body || body.length === 0) return undefined;
  const text = body.toString('utf8');
  if (headers['content-type']?.startsWith('application/x-www-form-urlencoded')) return Object.fromEntries(new URLSearchParams(text));
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

/** Not by recursion: it may be nested deeper than a stack is. */
function frozen(value: unknown): unknown {
  const found = [value];
  for (const next of found) {
    if (typeof next !== 'object' || next === null) continue;
    Object.freeze(next);
    for (const member of Object.values(next) as unknown[]) if (typeof member === 'object') found.push(member);
  }
  return value;
}
