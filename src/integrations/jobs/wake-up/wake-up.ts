/** What there may be to do: each topic has one worker. */
export const TOPICS = ['webhooks', 'sync', 'deliveries', 'actions'] as const;
export type Topic = (typeof TOPICS)[number];

/**
 * Looks into the database for work and does some of it. `more`: there may be more, call again at once; `idle`: nothing is due.
 * The signal is aborted when the process is about to stop: finish what is begun, begin nothing.
 */
export type Work = (signal: AbortSignal) => Promise<'more' | 'idle'>;

export interface ListenOptions {
  /** How many calls of the worker may run at the same time in this process. Default 1. */
  readonly lanes?: number;
}

/** How the wake-up itself is; without it work is only found later. */
export interface WakeUpStatus {
  readonly status: 'ok' | 'degraded';
  readonly detail?: string;
}

/**
 * Says "look now", nothing more: what there is to do stands in the database. A lost, repeated or late call changes nothing,
 * because a worker claims rows and the sweeper calls again for what is due.
 */
export abstract class WakeUp {
  /** To be called after the commit that made the work. Never throws, never waits. */
  abstract wake(topic: Topic): void;
  /** Registers the worker of a topic and lets it look once. In a process without workers this does nothing. */
  abstract listen(topic: Topic, work: Work, options?: ListenOptions): void;
  abstract status(): Promise<WakeUpStatus>;
}
