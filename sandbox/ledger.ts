import { closeSync, openSync, writeSync } from 'node:fs';
import type { Json, ProviderName } from './sandbox.types';

/** One request that a pretend provider got, or one delivery attempt that it made. */
export interface LedgerEntry {
  seq: number;
  at: number;
  kind: 'request' | 'delivery';
  provider: ProviderName;
  account?: string;
  /** Request: the endpoint's name. Delivery: the event's type. */
  endpoint: string;
  method?: string;
  path?: string;
  /** First 12 hex digits of the SHA-256 of the token. */
  token?: string;
  /** Status answered (request) or received (delivery); null when the connection ended without one. */
  status: number | null;
  /** `reset` and `hung` are faults of ours; `aborted`: the caller went; `failed`: a delivery that got no answer. */
  outcome: 'pending' | 'answered' | 'reset' | 'hung' | 'aborted' | 'failed';
  /** Whether the provider did what was asked; false when a fault came first. */
  applied?: boolean;
  fault?: string;
  idempotencyKey?: string;
  eventId?: string;
  attempt?: number;
  forged?: string;
  durationMs?: number;
  detail?: Json;
}

export interface LedgerQuery {
  provider?: string;
  kind?: string;
  endpoint?: string;
  account?: string;
  /** Entries with a greater seq. */
  since?: number;
  limit?: number;
}

const MAX_ENTRIES = 200_000;

/** Append-only record of everything that reached or left the sandbox. */
export class Ledger {
  private entries: LedgerEntry[] = [];
  private seq = 0;
  private dropped = 0;
  private readonly file: number | null;

  constructor(
    private readonly now: () => number,
    path?: string,
  ) {
    this.file = path ? openSync(path, 'a') : null;
  }

  open(entry: Omit<LedgerEntry, 'seq' | 'at' | 'status' | 'outcome'>): LedgerEntry {
    const full: LedgerEntry = { seq: ++this.seq, at: this.now(), ...entry, status: null, outcome: 'pending' };
    this.entries.push(full);
    if (this.entries.length > MAX_ENTRIES) {
      const cut = MAX_ENTRIES / 10;
      this.entries = this.entries.slice(cut);
      this.dropped += cut;
    }
    return full;
  }

  close(entry: LedgerEntry, outcome: LedgerEntry['outcome'], status: number | null): void {
    if (entry.outcome !== 'pending') return;
    entry.outcome = outcome;
    entry.status = status;
    entry.durationMs = this.now() - entry.at;
    if (this.file !== null) writeSync(this.file, `${JSON.stringify(entry)}\n`);
  }

  list(query: LedgerQuery = {}): LedgerEntry[] {
    const found = this.entries.filter(
      (entry) =>
        (query.since === undefined || entry.seq > query.since) &&
        (!query.provider || entry.provider === query.provider) &&
        (!query.kind || entry.kind === query.kind) &&
        (!query.endpoint || entry.endpoint === query.endpoint) &&
        (!query.account || entry.account === query.account),
    );
    return query.limit === undefined ? found : found.slice(0, query.limit);
  }

  /** `{ "request slack chat.postMessage 200": 3 }` */
  summary(query: LedgerQuery = {}): Record<string, number> {
    const counts: Record<string, number> = {};
    for (const entry of this.list(query)) {
      const key = `${entry.kind} ${entry.provider} ${entry.endpoint} ${entry.status ?? entry.outcome}`;
      counts[key] = (counts[key] ?? 0) + 1;
    }
    return counts;
  }

  get lastSeq(): number {
    return this.seq;
  }

  get droppedCount(): number {
    return this.dropped;
  }

  clear(): void {
    this.entries = [];
  }

  stop(): void {
    if (this.file !== null) closeSync(this.file);
  }
}
