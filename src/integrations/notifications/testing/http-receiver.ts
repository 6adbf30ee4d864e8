import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Received {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** What to answer: a status, or more. Answering nothing at all hangs. */
export type Answer = number | ((response: ServerResponse) => void);

/** Somebody's endpoint, by paths. */
export class HttpReceiver {
  readonly received: Received[] = [];
  /** By path; 200 where none is set. A list is used up one by one, its last stays. */
  readonly answers = new Map<string, Answer | Answer[]>();

  private constructor(
    private readonly server: Server,
    readonly port: number,
  ) {}

  static async start(): Promise<HttpReceiver> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const receiver = new HttpReceiver(server, (server.address() as AddressInfo).port);
    server.on('request', (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const path = request.url ?? '';
        receiver.received.push({ path, headers: request.headers, body: Buffer.concat(chunks) });
        const answer = receiver.answerOf(path);
        if (typeof answer === 'number') response.writeHead(answer).end();
        else answer(response);
      });
    });
    return receiver;
  }

  url(path: string): string {
    return `http://127.0.0.1:${this.port}${path}`;
  }

  at(path: string): Received[] {
    return this.received.filter((each) => each.path === path);
  }

  reset(): void {
    this.received.length = 0;
    this.answers.clear();
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private answerOf(path: string): Answer {
    const answer = this.answers.get(path) ?? 200;
    if (!Array.isArray(answer)) return answer;
    return (answer.length > 1 ? answer.shift() : answer[0]) ?? 200;
  }
}

/** Never answers. */
export const HANGS: Answer = () => undefined;
