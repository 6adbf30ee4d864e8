import type { BackOffOptions } from '../../../back-off';
import { SETTINGS } from '../../../config/config.module';
import type { Settings } from '../../../config/env';

/** How stored events are worked off. */
export interface ProcessingOptions {
  /** Events in one claim and, as far as they go well, in one transaction. Default 200. */
  readonly batchSize: number;
  /** A claim that is not extended ends after this, s. Default 60. */
  readonly leaseSeconds: number;
  /** Claims in work at the same time in this process; all but one of them may be of the same tenant. Default 3. */
  readonly concurrency: number;
  /** Transactions with events that run as soon as they are stored, at the same time in this process; 0: all is left to the loop. Default 2. */
  readonly directProcessing: number;
  /** A handler's time within the transaction, ms. Default 5 000. */
  readonly handleTimeoutMs: number;
  /** A handler's time to ask the provider, ms. Default 20 000. */
  readonly prepareTimeoutMs: number;
  /** Events that may be asking a provider at the same time in this process. Default 16. */
  readonly preparing: number;
  /** Pause after the first failure, ms; four times as long after each further one, half of it at random. Default 2 000. */
  readonly retryBaseMs: number;
  /** Longest pause, ms. Default 3 600 000. */
  readonly retryMaxMs: number;
  /** How often events are looked for whose worker died, ms. Default 1 000. */
  readonly takeoverEveryMs: number;
}

export const PROCESSING_DEFAULTS: ProcessingOptions = {
  batchSize: 200,
  leaseSeconds: 60,
  concurrency: 3,
  directProcessing: 2,
  handleTimeoutMs: 5_000,
  prepareTimeoutMs: 20_000,
  preparing: 16,
  retryBaseMs: 2_000,
  retryMaxMs: 3_600_000,
  takeoverEveryMs: 1_000,
};

/** Injection token of a `Partial<ProcessingOptions>` that overrides the defaults. */
export const PROCESSING_OPTIONS = Symbol('ProcessingOptions');

/** What the processing goes by: the options, and what the settings say of it. */
export interface ProcessingRules extends ProcessingOptions {
  /** Runs of an event until it is dead. */
  readonly maxAttempts: number;
  /** Whether this process works events off. */
  readonly workers: boolean;
}

/** Injection token of the `ProcessingRules`. */
export const PROCESSING_RULES = Symbol('ProcessingRules');

export const processingRulesProvider = {
  provide: PROCESSING_RULES,
  inject: [SETTINGS, { token: PROCESSING_OPTIONS, optional: true }],
  useFactory: (
    { webhookMaxAttempts: maxAttempts, workers }: Pick<Settings, 'webhookMaxAttempts' | 'workers'>,
    options?: Partial<ProcessingOptions>,
  ): ProcessingRules => ({ ...PROCESSING_DEFAULTS, ...options, maxAttempts, workers }),
};

/** The pauses of an event that failed. */
export function retryBackOff({ retryBaseMs, retryMaxMs }: Pick<ProcessingOptions, 'retryBaseMs' | 'retryMaxMs'>): BackOffOptions {
  return { firstMs: retryBaseMs, factor: 4, maxMs: retryMaxMs };
}
