import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import jsonata from 'jsonata';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { CLOCK, type Clock } from '../../../clock';
import { IntegrationError } from '../../../errors';

/** What became of one record: JSON, or a sentence that says why it became nothing. */
export type Mapped = { readonly data: unknown } | { readonly error: string };

type Message = { readonly ready?: true; readonly done?: true; readonly output?: string; readonly error?: string };

/** Of one record, ms. */
const RECORD_MS = 1_000;
/** Until the thread has read its program, ms. */
const START_MS = 10_000;
/** Of one page: so many records that take too long, and the rest is not tried. */
const MOST_SLOW = 3;
/** Pages that wait for the thread. */
const MOST_WAITING = 100;
const MOST_CHARS = 1_000_000;
const MEMORY_MB = 128;
const TOO_LONG = `The mapping took longer than ${RECORD_MS} ms.`;

/**
 * Evaluates JSONata (https://docs.jsonata.org) beside the service: in a thread that is ended when a record takes too long or too much.
 * Expressions see the record alone. One page at a time in a process.
 */
@Injectable()
export class MappingEvaluator implements OnApplicationShutdown {
  private worker?: Worker;
  private turn: Promise<unknown> = Promise.resolve();
  private waiting = 0;

  constructor(@Inject(CLOCK) private readonly clock: Clock) {}

  /** @throws IntegrationError `invalid_request` where the expression cannot be read: what and where */
  check(expression: string): void {
    try {
      jsonata(expression);
    } catch (error) {
      const { message, position } = error as { message?: string; position?: number };
      const where = position === undefined ? '' : ` At character ${position}.`;
      throw new IntegrationError('invalid_request', {
        detail: `expression: ${message ?? 'It cannot be read.'}${where}`,
        nextStep: 'Expressions are JSONata: see https://docs.jsonata.org, and try one with /v1/admin/mappings/preview.',
      });
    }
  }

  /** One result for each record, in their order. @throws IntegrationError `too_many_requests` */
  async map(expression: string, records: readonly unknown[]): Promise<Mapped[]> {
    if (records.length === 0) return [];
    if (this.waiting >= MOST_WAITING) throw new IntegrationError('too_many_requests', { retryAfterMs: 1_000 });
    this.waiting++;
    const before = this.turn;
    const mapped = before.then(() =>
      this.mapPage(
        expression,
        records.map((record) => JSON.stringify(record ?? null)),
      ),
    );
    this.turn = mapped.catch(() => undefined);
    try {
      return await mapped;
    } finally {
      this.waiting--;
    }
  }

  async onApplicationShutdown(): Promise<void> {
    await this.end();
  }

  private async mapPage(expression: string, inputs: readonly string[]): Promise<Mapped[]> {
    const results: Mapped[] = [];
    for (let slow = 0; results.length < inputs.length; slow++) {
      if (slow === MOST_SLOW) {
        const rest = inputs
          .slice(results.length)
          .map(() => ({ error: `Not tried: ${MOST_SLOW} records before it took too long or too much.` }));
        return [...results, ...rest];
      }
      const fault = await this.mapSome(expression, inputs.slice(results.length), results);
      if (fault !== undefined) results.push({ error: fault });
    }
    return results;
  }

  /** Adds to `results` as far as it gets. @returns why it did not get further, which is about the next record */
  private mapSome(expression: string, inputs: readonly string[], results: Mapped[]): Promise<string | undefined> {
    const started = this.worker !== undefined;
    const worker = (this.worker ??= this.start());
    return new Promise((resolve) => {
      let watch = new AbortController();
      const watched = (ms: number) => {
        watch.abort();
        watch = new AbortController();
        this.clock.sleep(ms, watch.signal).then(
          () => settle(TOO_LONG),
          () => undefined,
        );
      };
      const settle = (fault?: string) => {
        watch.abort();
        worker.off('error', failed).off('exit', ended).off('message', told);
        resolve(fault === undefined ? undefined : this.end().then(() => fault));
      };
      const failed = (error: Error) => settle(`The mapping could not be carried out: ${error.message}`);
      const ended = () => settle('The mapping took more memory than it may.');
      const told = ({ ready, done, output, error }: Message) => {
        if (done) return settle();
        if (!ready) results.push(output === undefined ? { error: error ?? 'It failed.' } : { data: JSON.parse(output) as unknown });
        watched(RECORD_MS);
      };
      worker.on('error', failed).on('exit', ended).on('message', told);
      watched(started ? RECORD_MS : START_MS);
      worker.postMessage({ expression, inputs });
    });
  }

  private start(): Worker {
    const worker = new Worker(join(__dirname, 'mapping-worker.cjs'), {
      env: {},
      workerData: { mostChars: MOST_CHARS },
      resourceLimits: { maxOldGenerationSizeMb: MEMORY_MB, maxYoungGenerationSizeMb: 16 },
    });
    worker.unref();
    worker.on('error', () => undefined); // between two pages nobody listens, and nothing is lost
    worker.once('exit', () => {
      if (this.worker === worker) this.worker = undefined;
    });
    return worker;
  }

  private async end(): Promise<void> {
    const { worker } = this;
    this.worker = undefined;
    await worker?.terminate();
  }
}
