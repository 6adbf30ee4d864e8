import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { answerWithFault, sendResponse } from './fault-answers';
import { type FaultPlan, type Faults, standsInForTheAnswer } from './faults';
import type { Ledger, LedgerEntry } from './ledger';
import { hashPrefix } from './random';
import type { Json, ProviderSurface, Route, SandboxRequest, SandboxResponse } from './sandbox.types';

const MAX_BODY_BYTES = 64 * 1024 * 1024;

interface CompiledRoute {
  route: Route;
  pattern: RegExp;
  names: string[];
}

export interface ConnectionCount {
  open: number;
  peak: number;
}

export interface ListeningServer {
  url: string;
  connections: () => ConnectionCount;
  stop: () => Promise<void>;
}

export interface FrameParts {
  ledger: Ledger;
  faults: Faults;
}

/** Serves one pretend provider: body parsing, routing, faults, ledger. */
export class SandboxServer {
  private readonly routes: CompiledRoute[];
  private readonly timers = new Set<NodeJS.Timeout>();

  constructor(
    private readonly surface: ProviderSurface,
    private readonly parts: FrameParts,
  ) {
    this.routes = surface.routes.map(compile);
  }

  async listen(port: number): Promise<ListeningServer> {
    const server = createServer((incoming, outgoing) => {
      this.serve(incoming, outgoing).catch((error: unknown) => {
        if (!outgoing.headersSent) outgoing.writeHead(500, { 'content-type': 'text/plain' });
        outgoing.end(`sandbox defect: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
      });
    });
    const listening = await listenOn(server, port);
    return {
      ...listening,
      stop: async () => {
        for (const timer of this.timers) clearTimeout(timer);
        await listening.stop();
      },
    };
  }

  private async serve(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const rawBody = await readBody(incoming);
    if (rawBody === null) {
      outgoing.writeHead(413, { connection: 'close' }).end();
      return;
    }
    const { request, route } = this.understand(incoming, rawBody);
    const caller = this.surface.identify(request);
    const plan = this.parts.faults.plan(this.surface.name, request, caller);
    const entry = this.parts.ledger.open({
      kind: 'request',
      provider: this.surface.name,
      endpoint: request.endpoint,
      method: request.method,
      path: request.path,
      ...(caller.account ? { account: caller.account } : {}),
      ...(caller.token ? { token: hashPrefix(caller.token) } : {}),
      ...(request.headers['idempotency-key'] ? { idempotencyKey: request.headers['idempotency-key'] } : {}),
      ...(plan.fault ? { fault: plan.fault.kind } : plan.latencyMs > 0 ? { fault: 'latency' } : {}),
    });
    request.note = (facts) => {
      entry.detail = { ...entry.detail, ...facts };
    };
    outgoing.on('close', () => {
      this.parts.ledger.close(
        entry,
        outgoing.writableFinished ? 'answered' : 'aborted',
        outgoing.writableFinished ? outgoing.statusCode : null,
      );
    });
    await this.answer(request, route, plan, entry, outgoing);
  }

  private async answer(
    request: SandboxRequest,
    route: Route | null,
    plan: FaultPlan,
    entry: LedgerEntry,
    outgoing: ServerResponse,
  ): Promise<void> {
    let delayed = false;
    request.delay = async () => {
      if (delayed || plan.latencyMs === 0) return;
      delayed = true;
      await new Promise<void>((resolve) => this.later(resolve, plan.latencyMs));
    };
    const fault = plan.fault;
    const instead = fault !== null && standsInForTheAnswer(fault.kind);
    if (instead || !route?.delaysItself) await request.delay();
    if (outgoing.destroyed && (instead || !route)) return;

    let response: SandboxResponse | null = null;
    if (!instead) {
      response = route ? await route.handle(request) : this.surface.notFound(request);
      await request.delay();
      if (route) entry.applied = response.status < 400;
    } else {
      entry.applied = false;
    }
    const headers = this.surface.commonHeaders?.() ?? {};
    const send = (answer: SandboxResponse): void => {
      this.parts.ledger.close(entry, 'answered', answer.status);
      sendResponse(outgoing, { ...answer, headers: { ...headers, ...answer.headers } });
    };
    if (fault) {
      answerWithFault({
        plan,
        fault,
        request,
        response,
        surface: this.surface,
        outgoing,
        send,
        later: (run, ms) => this.later(run, ms),
        ledger: this.parts.ledger,
        entry,
      });
      return;
    }
    if (response) send(response);
  }

  private later(run: () => void, ms: number): void {
    const timer = setTimeout(() => {
      this.timers.delete(timer);
      run();
    }, ms);
    timer.unref();
    this.timers.add(timer);
  }

  private understand(incoming: IncomingMessage, rawBody: Buffer): { request: SandboxRequest; route: Route | null } {
    const url = new URL((incoming.url ?? '/').replace(/^\/+/, '/'), 'http://sandbox');
    const headers: Record<string, string> = {};
    for (const [name, value] of Object.entries(incoming.headers)) headers[name] = Array.isArray(value) ? value.join(', ') : (value ?? '');
    const method = incoming.method ?? 'GET';
    const request: SandboxRequest = {
      method,
      path: url.pathname,
      params: {},
      query: url.searchParams,
      headers,
      rawBody,
      body: this.parseBody(headers['content-type'] ?? '', rawBody),
      endpoint: 'unknown',
      delay: () => Promise.resolve(),
      note: () => undefined,
    };
    for (const { route, pattern, names } of this.routes) {
      if (route.method !== '*' && route.method !== method) continue;
      const match = pattern.exec(url.pathname);
      if (!match) continue;
      names.forEach((name, index) => {
        request.params[name] = decode(match[index + 1] ?? '');
      });
      request.endpoint = route.endpoint.replace(/:(\w+)/g, (_, name: string) => request.params[name] ?? '');
      return { request, route };
    }
    return { request, route: null };
  }

  private parseBody(contentType: string, raw: Buffer): Json {
    if (raw.length === 0) return {};
    if (contentType.startsWith('application/json')) {
      try {
        const parsed: unknown = JSON.parse(raw.toString('utf8'));
        return typeof parsed === 'object' && parsed !== null ? (parsed as Json) : {};
      } catch {
        return {};
      }
    }
    return contentType.startsWith('application/x-www-form-urlencoded') ? this.surface.parseForm(raw.toString('utf8')) : {};
  }
}

/** Listens on the loopback address and ends every connection on stop, hung ones included. */
export async function listenOn(server: Server, port: number): Promise<ListeningServer> {
  server.keepAliveTimeout = 60_000;
  server.requestTimeout = 0;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  const address = server.address() as AddressInfo;
  const count: ConnectionCount = { open: 0, peak: 0 };
  server.on('connection', (socket) => {
    count.peak = Math.max(count.peak, ++count.open);
    socket.once('close', () => count.open--);
  });
  return {
    connections: () => ({ ...count }),
    url: `http://127.0.0.1:${address.port}`,
    stop: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

export async function readBody(incoming: IncomingMessage): Promise<Buffer | null> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_BODY_BYTES) return null;
    chunks.push(chunk);
  }
  return chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks);
}

function compile(route: Route): CompiledRoute {
  const names: string[] = [];
  const source = route.pattern
    .split('/')
    .map((part) => {
      if (!part.startsWith(':')) return part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
      names.push(part.slice(1));
      return '([^/]+)';
    })
    .join('/');
  return { route, pattern: new RegExp(`^${source}/?$`), names };
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
