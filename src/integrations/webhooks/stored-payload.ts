/** Where the delivery came in, of its trace: kept with its headers, so that a delivery that nobody traces costs nothing more. */
export const TRACE_HEADER = 'traceparent';

/**
 * Whether the event `e` points at the payload `p`, in SQL. The ids of a payload's events begin as its own does, so they are found without an
 * index for it (https://www.rfc-editor.org/rfc/rfc9562#section-5.7).
 */
export const pointsAt = (e: string, p: string) =>
  `${e}.payload_id = ${p}.id AND ${e}.id BETWEEN (substr(${p}.id::text, 1, 15) || '000-0000-000000000000')::uuid AND (substr(${p}.id::text, 1, 15) || 'fff-ffff-ffffffffffff')::uuid`;

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
