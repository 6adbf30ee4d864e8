/** What there may be to do: each topic has one worker. */
export const TOPICS = ['webhooks', 'sync', 'deliveries', 'actions', 'replays'] as const;
export type Topic = (typeof TOPICS)[number];

/** Who works on a topic in this process. */
export interface Worker {
  /** Looks into the database for work and begins it. Resolves when it has looked. */
  wake(): Promise<void>;
  /** Whether it can begin nothing more now, so that another process could help. */
  readonly busy: boolean;
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
  abstract listen(topic: Topic, worker: Worker): void;
  abstract status(): Promise<WakeUpStatus>;
}
