/** The part of the contract that stands alone: records, what a list of them holds, and the watches on it. */

/** A watch that we made, for whoever is told of it: one that is being made and one that was replaced a moment ago as well. */
export interface KnownWatch {
  readonly channelId: string;
  readonly connectionId: string;
  readonly resource: string;
  /** Of the token that we gave it, SHA-256 in hexadecimal. */
  readonly tokenHash: string;
  /** The provider's id; empty while it is not known yet. */
  readonly remoteId: string;
}

export interface KnownWatches {
  find(channelId: string): Promise<KnownWatch | undefined>;
  /** By the provider's ids, which are an account's own: 1 of one account is another one than 1 of the next. */
  ofAccount(
    account: { readonly provider: string; readonly routingKey: string },
    remoteIds: readonly string[],
  ): Promise<readonly KnownWatch[]>;
}

/**
 * Whether a list held everything there is. One that a filter, a window, a limit or a narrower scope cut proves nothing of what is not in
 * it: it adds and changes, and never removes. `why` is for people: "Holds the newest 200 mails."
 */
export type Extent =
  | {
      readonly complete: true;
      /** What of it is held, where that is not all: everything was met, if only by its id. */
      readonly holds?: string;
    }
  | { readonly complete: false; readonly why: string };

export type PartitionList = Extent & {
  readonly names: readonly string[];
  /** Those that the provider itself tells to be gone: they are removed without a question, however much it is, and of an incomplete list too. */
  readonly gone?: readonly string[];
};

export interface SyncPage {
  readonly records: readonly SyncRecord[];
  /** Of a full walk: ids of what is there as well and was not read. What is held of it stays as it is. */
  readonly met?: readonly string[];
  /** JSON. Where to go on after this page if the run is interrupted; committed with the page. */
  readonly checkpoint?: unknown;
  /** JSON. Where the next incremental run starts; stored when the last page is committed. Give it on the last page (or earlier: the last given counts). `null`: there is none, the next run is a full one. */
  readonly cursor?: unknown;
  /** On the last page: there is more to read than what changed, and a run of this resource alone goes on with it, after whatever else is due. */
  readonly more?: boolean;
  /** How many there are in all, where the provider tells. */
  readonly total?: number;
}

export interface SyncRecord {
  /** The provider's id, unique within resource and partition. */
  readonly id: string;
  /** JSON; ignored for a deletion. */
  readonly data?: unknown;
  readonly deleted?: boolean;
  /** Provider's time or version, ms or counter: an older one never overwrites a newer one. */
  readonly version?: number;
  /** What it hangs on: when that is deleted it goes with it, in the same transaction. Ignored for a deletion. */
  readonly partOf?: PartOf;
}

/** A record as it is stored. */
export interface StoredRecord {
  readonly id: string;
  readonly partition: string;
  readonly data: unknown;
}

/** A record of the same partition, or one of another resource, whatever its partition. One level: what hangs on a part stays. */
export interface PartOf {
  /** Default: the record's own. */
  readonly resource?: string;
  readonly id: string;
  /** It says nothing without the other (same resource only): where that is deleted, it is not taken in. */
  readonly required?: boolean;
}
