import type { Agent, Dispatcher } from 'undici';
import { IntegrationError } from '../../../errors';
import type { StopSignal } from '../../../clock';
import { headersOf, type RawHeaders } from './answer-headers';

export interface WireAnswer {
  readonly status: number;
  readonly headers: Headers;
  /** As it came, perhaps compressed. */
  readonly body: Buffer;
}

export interface ExchangeOptions {
  readonly provider: string;
  /** Of the body as it comes. */
  readonly maxBytes: number;
  readonly signal: StopSignal;
}

/**
 * One request and its whole answer, without the streams that nobody would read.
 * @throws what the socket throws, the signal's reason, or IntegrationError `response_too_large`; the socket is then closed
 */
export function exchange(agent: Agent, request: Dispatcher.DispatchOptions, options: ExchangeOptions): Promise<WireAnswer> {
  return new Promise((resolve, reject) => {
    agent.dispatch(request, new AnswerCollector(options, resolve, reject));
  });
}

const NOTHING = Buffer.alloc(0);

class AnswerCollector implements Dispatcher.DispatchHandler {
  private controller?: Dispatcher.DispatchController;
  private status = 0;
  private headers: RawHeaders = {};
  private readonly chunks: Buffer[] = [];
  private size = 0;

  constructor(
    private readonly options: ExchangeOptions,
    private readonly resolve: (answer: WireAnswer) => void,
    private readonly reject: (error: Error) => void,
  ) {
    options.signal.addEventListener('abort', this.onAbort);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.controller = controller;
    if (this.options.signal.aborted) this.onAbort();
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number, headers: RawHeaders): void {
    if (status < 200) return; // an interim answer
    this.status = status;
    this.headers = headers;
    if (Number(headers['content-length'] ?? 0) > this.options.maxBytes) controller.abort(this.tooLarge());
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.size += chunk.length;
    if (this.size > this.options.maxBytes) controller.abort(this.tooLarge());
    else this.chunks.push(chunk);
  }

  onResponseEnd(): void {
    this.leave();
    const [first = NOTHING] = this.chunks;
    this.resolve({
      status: this.status,
      headers: headersOf(this.headers),
      body: this.chunks.length > 1 ? Buffer.concat(this.chunks, this.size) : first,
    });
  }

  onResponseError(_: unknown, error: Error): void {
    this.leave();
    this.reject(error);
  }

  private readonly onAbort = (): void => {
    const { reason } = this.options.signal;
    const error = reason instanceof Error ? reason : new IntegrationError('cancelled', { provider: this.options.provider });
    // Before it has a socket it waits in a queue, from which it is taken when its turn comes.
    if (this.controller) this.controller.abort(error);
    else this.reject(error);
  };

  private leave(): void {
    this.options.signal.removeEventListener('abort', this.onAbort);
  }

  private tooLarge(): IntegrationError {
    return new IntegrationError('response_too_large', { provider: this.options.provider });
  }
}
