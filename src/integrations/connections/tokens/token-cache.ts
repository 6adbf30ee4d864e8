import type { Clock } from '../../../clock';
import type { StoredToken } from './token.repository';

interface Entry {
  readonly token: StoredToken;
  readonly at: number;
}

interface Read {
  readonly promise: Promise<StoredToken>;
  stale: boolean;
}

/** A disconnect in another process must end the use of a token within 5 s; a read that was under way then takes its time too. */
const TTL_MS = 3_000;
const MAX_CONNECTIONS = 10_000;
/** Key of "the first kind there is". */
const ANY = '';

/** Readable tokens for a few seconds, so that a busy connection does not ask the database at each call. */
export class TokenCache {
  private readonly entries = new Map<string, Map<string, Entry>>();
  private readonly reads = new Map<string, Map<string, Read>>();

  constructor(private readonly clock: Clock) {}

  get(connectionId: string, kind: string = ANY): StoredToken | undefined {
    const entry = this.entries.get(connectionId)?.get(kind);
    if (!entry) return undefined;
    const age = this.clock.now() - entry.at;
    return age >= 0 && age < TTL_MS ? entry.token : undefined;
  }

  put(connectionId: string, kind: string | undefined, token: StoredToken): void {
    const kinds = this.entries.get(connectionId) ?? new Map<string, Entry>();
    this.entries.delete(connectionId); // the newest stand last
    this.entries.set(connectionId, kinds.set(kind ?? ANY, { token, at: this.clock.now() }));
    if (this.entries.size <= MAX_CONNECTIONS) return;
    for (const oldest of this.entries.keys()) {
      this.entries.delete(oldest);
      break;
    }
  }

  /** Reads once for all who ask at the same time. What was invalidated meanwhile is handed out, but not kept. */
  read(connectionId: string, kind: string | undefined, load: () => Promise<StoredToken>): Promise<StoredToken> {
    const kinds = this.reads.get(connectionId) ?? new Map<string, Read>();
    const running = kinds.get(kind ?? ANY);
    if (running && !running.stale) return running.promise;
    const startedAt = this.clock.now();
    const read: Read = {
      stale: false,
      promise: load()
        .then((token) => {
          if (!read.stale && this.clock.now() - startedAt < TTL_MS) this.put(connectionId, kind, token);
          return token;
        })
        .finally(() => {
          if (kinds.get(kind ?? ANY) === read) kinds.delete(kind ?? ANY);
          if (kinds.size === 0 && this.reads.get(connectionId) === kinds) this.reads.delete(connectionId);
        }),
    };
    this.reads.set(connectionId, kinds.set(kind ?? ANY, read));
    return read.promise;
  }

  /** Somebody connected: what is shared may have been replaced for all. */
  invalidateShared(): void {
    for (const [connectionId, kinds] of this.entries)
      if ([...kinds.values()].some(({ token }) => token.shared)) this.invalidate(connectionId);
    for (const kinds of this.reads.values()) for (const read of kinds.values()) read.stale = true;
  }

  invalidate(connectionId: string): void {
    this.entries.delete(connectionId);
    for (const read of this.reads.get(connectionId)?.values() ?? []) read.stale = true;
  }
}
