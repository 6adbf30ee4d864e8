type BodyInit = ConstructorParameters<typeof Response>[0];

/** The types say that a `Response` has its members as properties; in truth they are methods and accessors, which a class may override. */
const PlainResponse = Response as unknown as new (body: null, init: { status: number }) => { readonly status: number };

const UTF8 = new TextDecoder();

/**
 * A `Response` whose body is in memory already. The platform's own makes a stream of every body, which costs more than all our steps
 * together and which nobody reads: the SDKs ask for text or JSON. A stream is made when somebody wants one.
 */
class BufferedResponse extends PlainResponse {
  readonly #bytes: Uint8Array;
  readonly #headers: Headers;
  /** Parsed when the answer was checked; the one reader of the body gets it. */
  #json: unknown;
  #used = false;
  #stream?: Response;

  constructor(bytes: Uint8Array, status: number, headers: Headers, json?: unknown) {
    super(null, { status });
    this.#bytes = bytes;
    this.#headers = headers;
    this.#json = json;
  }

  get headers(): Headers {
    return this.#headers;
  }

  get body(): Response['body'] {
    this.#stream ??= new Response(this.#bytes as BodyInit);
    return this.#stream.body;
  }

  get bodyUsed(): boolean {
    return this.#used || (this.#stream !== undefined && (this.#stream.bodyUsed || this.#stream.body?.locked === true));
  }

  async text(): Promise<string> {
    return UTF8.decode(this.#take());
  }

  async json(): Promise<unknown> {
    if (this.#json === undefined) return JSON.parse(await this.text());
    this.#take();
    return this.#json;
  }

  async arrayBuffer(): Promise<ArrayBuffer> {
    return Uint8Array.from(this.#take()).buffer;
  }

  async bytes(): Promise<Uint8Array> {
    return Uint8Array.from(this.#take());
  }

  async blob(): Promise<Awaited<ReturnType<Response['blob']>>> {
    return new Response(this.#take() as BodyInit, { headers: this.headers }).blob();
  }

  async formData(): Promise<Awaited<ReturnType<Response['formData']>>> {
    return new Response(this.#take() as BodyInit, { headers: this.headers }).formData();
  }

  clone(): Response {
    if (this.bodyUsed) throw unusable();
    return bufferedResponse(this.#bytes, this.status, new Headers(this.#headers));
  }

  #take(): Uint8Array {
    if (this.bodyUsed) throw unusable();
    this.#used = true;
    return this.#bytes;
  }
}

export function bufferedResponse(bytes: Uint8Array, status: number, headers: Headers, json?: unknown): Response {
  return new BufferedResponse(bytes, status, headers, json) as unknown as Response;
}

function unusable(): TypeError {
  return new TypeError('Body is unusable: it has been read already.');
}
