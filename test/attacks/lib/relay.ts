import { createServer, request as httpRequest, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Relayed {
  readonly method: string;
  readonly url: string;
  /** Name, value, name, value: as they came. */
  readonly rawHeaders: readonly string[];
}

type Misbehaviour = (request: IncomingMessage, response: ServerResponse) => void;

/** Stands before a sandbox provider: shows what arrived byte by byte, and can answer as no provider should. */
export class Relay {
  readonly received: Relayed[] = [];
  /** By path; everything else goes through to the provider. */
  readonly misbehave = new Map<string, Misbehaviour>();

  private constructor(
    private readonly server: Server,
    readonly url: string,
  ) {}

  static async start(target?: string): Promise<Relay> {
    const server = createServer({ insecureHTTPParser: false });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const relay = new Relay(server, `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    server.on('request', (request: IncomingMessage, response: ServerResponse) => relay.take(request, response, target));
    return relay;
  }

  /** Those for a path, query included or not. */
  at(path: string): Relayed[] {
    return this.received.filter(({ url }) => url === path || url.split('?')[0] === path);
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private take(request: IncomingMessage, response: ServerResponse, target: string | undefined): void {
    const url = request.url ?? '';
    this.received.push({ method: request.method ?? '', url, rawHeaders: request.rawHeaders });
    const own = this.misbehave.get(url.split('?')[0] ?? '');
    if (own) return own(request, response);
    if (!target) return void response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
    const { hostname, port } = new URL(target);
    const onward = httpRequest(
      { hostname, port, path: url, method: request.method, headers: { ...request.headers, host: `${hostname}:${port}` } },
      (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      },
    );
    onward.on('error', () => response.destroy());
    request.pipe(onward);
  }
}
