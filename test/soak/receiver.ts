import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** The product's endpoint: counts each message by its id and keeps nothing else, so that it does not grow with what it is sent. */
export class CountingReceiver {
  readonly ids = new Map<string, number>();
  /** Answers 503 while it is set. */
  failing = false;

  private constructor(
    private readonly server: Server,
    readonly url: string,
  ) {}

  static async start(): Promise<CountingReceiver> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const receiver = new CountingReceiver(server, `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`);
    server.on('request', (request, response) => {
      request.resume().once('end', () => {
        if (receiver.failing) return response.writeHead(503).end();
        const id = String(request.headers['webhook-id']);
        receiver.ids.set(id, (receiver.ids.get(id) ?? 0) + 1);
        return response.writeHead(204).end();
      });
    });
    return receiver;
  }

  stop(): Promise<void> {
    this.server.closeAllConnections();
    return new Promise((resolve) => this.server.close(() => resolve()));
  }
}
