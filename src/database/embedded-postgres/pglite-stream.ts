import { Duplex } from 'node:stream';
import { TERMINATE, WireMessages } from './wire-messages';

/** The database for one logical connection at a time. */
export interface EmbeddedSession {
  /** Runs whole wire messages, resolves with all the bytes of the answer. */
  run(messages: Buffer[]): Promise<Buffer>;
  /** Rolls back what is open, forgets the session's state and lets the next connection in. */
  end(): Promise<void>;
}

type Done = (error?: Error | null) => void;

/**
 * What `pg` takes for its socket, with the embedded database behind it. PGlite has one backend for all, so a connection
 * holds it from its first message until it closes; `pg.Pool` with `max: 1` makes that the same as one connection.
 */
export class PgliteStream extends Duplex {
  private readonly messages = new WireMessages();
  private session: Promise<EmbeddedSession> | undefined;

  constructor(private readonly openSession: () => Promise<EmbeddedSession>) {
    super({ autoDestroy: true });
  }

  /** The socket's own methods that `pg` calls; there is no network, so only `connect` has something to say. */
  connect(): this {
    process.nextTick(() => this.emit('connect'));
    return this;
  }
  setNoDelay(): this {
    return this;
  }
  setKeepAlive(): this {
    return this;
  }
  setTimeout(): this {
    return this;
  }
  ref(): this {
    return this;
  }
  unref(): this {
    return this;
  }

  override _read(): void {
    // answers are pushed as they come
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: Done): void {
    this.hand([chunk]).then(() => done(), done);
  }

  override _writev(chunks: { chunk: Buffer }[], done: Done): void {
    this.hand(chunks.map(({ chunk }) => chunk)).then(() => done(), done);
  }

  override _final(done: Done): void {
    this.push(null);
    done();
    this.destroy();
  }

  override _destroy(error: Error | null, done: Done): void {
    if (!this.session) return done(error);
    // `pg` must hear of the end only after the session is free for its next connection
    this.session
      .then((session) => session.end())
      .catch(() => undefined) // the next connection meets the same fault and reports it
      .finally(() => done(error));
  }

  private async hand(chunks: Buffer[]): Promise<void> {
    // PGlite would shut the whole database down on Terminate: here it only ends this connection
    const whole = this.messages.take(chunks).filter((message) => message[0] !== TERMINATE);
    if (whole.length === 0) return;
    this.session ??= this.openSession();
    const session = await this.session;
    if (this.destroyed) return;
    const answer = await session.run(whole);
    if (answer.length > 0 && !this.destroyed) this.push(answer);
  }
}
