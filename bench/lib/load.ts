import { fork, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import type { Series } from './stripe-delivery';

/** Deliveries to one server. */
export interface LoadJob {
  readonly port: number;
  readonly path: string;
  readonly series: Series;
  readonly connections: number;
  /** Requests begin at this pace, whatever the answers do; latency counts from the due time. Without: each connection sends as soon as it is answered. */
  readonly perSecond?: number;
}

/** Single deliveries, one after another, each timed until a notification tells of its committed effect. */
export interface EffectJob {
  readonly port: number;
  readonly path: string;
  readonly series: Series;
  readonly databaseUrl: string;
  /** Pause after each, ms: between this and twice this. */
  readonly pauseMs: number;
  /** Deliveries begin every `pauseMs` on average without waiting for the effect of the one before. */
  readonly overlapping?: boolean;
}

export interface LoadResult {
  /** From the first request to the last response, ms. */
  readonly ms: number;
  readonly statuses: Readonly<Record<string, number>>;
  readonly latenciesMs: readonly number[];
}

export interface EffectResult {
  /** From the request's first byte to the effect. */
  readonly sentToEffectMs: readonly number[];
  /** From the answer to the effect; negative where the effect was there first. */
  readonly answeredToEffectMs: readonly number[];
  readonly statuses: Readonly<Record<string, number>>;
}

export type LoadRequest = { readonly no: number } & (
  { readonly load: LoadJob } | { readonly effect: EffectJob } | { readonly stopEffects: true }
);
export type LoadAnswer = { readonly no: number } & ({ readonly result: LoadResult | EffectResult } | { readonly error: string });

/** The load generator: a process of its own, so that it shares no event loop with what is measured or with what measures. */
export class LoadGenerator {
  private readonly child: ChildProcess;
  private readonly waiting = new Map<number, { done: (result: unknown) => void; failed: (error: Error) => void }>();
  private no = 0;

  constructor() {
    this.child = fork(join(__dirname, 'load-process.ts'), [], { execArgv: ['-r', join(__dirname, '../../scripts/register-swc.cjs')] });
    this.child.on('message', (answer: LoadAnswer) => {
      const waiting = this.waiting.get(answer.no);
      this.waiting.delete(answer.no);
      if ('error' in answer) waiting?.failed(new Error(answer.error));
      else waiting?.done(answer.result);
    });
    this.child.on('exit', () => {
      for (const { failed } of this.waiting.values()) failed(new Error('the load generator ended'));
      this.waiting.clear();
    });
  }

  deliver(load: LoadJob): Promise<LoadResult> {
    return this.ask({ load });
  }

  untilEffect(effect: EffectJob): Promise<EffectResult> {
    return this.ask({ effect });
  }

  /** Ends the series of `untilEffect` that is running: it begins no further delivery, and answers when those begun took effect. */
  async stopEffects(): Promise<void> {
    await this.ask({ stopEffects: true });
  }

  stop(): void {
    this.child.kill('SIGKILL');
  }

  private ask<T>(what: { load: LoadJob } | { effect: EffectJob } | { stopEffects: true }): Promise<T> {
    const no = this.no++;
    return new Promise<T>((done, failed) => {
      this.waiting.set(no, { done: done as (result: unknown) => void, failed });
      this.child.send({ no, ...what } satisfies LoadRequest);
    });
  }
}

/** Whether every delivery was answered 200, and otherwise what came. @throws Error */
export function assertAllTaken(statuses: Readonly<Record<string, number>>, what: string): void {
  const others = Object.entries(statuses).filter(([status]) => status !== '200');
  if (others.length > 0) throw new Error(`${what}: not all deliveries were answered 200: ${JSON.stringify(statuses)}`);
}
