import { request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { SANDBOX_CERTIFICATE, SANDBOX_KEY } from './sandbox-tls';

/** The sandbox providers over https, under names of their own: `https://slack.sandbox.example:<port>`. */
export interface SandboxFront {
  readonly port: number;
  /** By the first part of the name: where its requests go. */
  readonly targets: ReadonlyMap<string, string>;
  /** Something else that listens here gets a name. @returns its origin */
  lead(target: string): string;
  stop(): Promise<void>;
}

export async function startSandboxFront(sandboxes: ReadonlyMap<string, string>): Promise<SandboxFront> {
  const targets = new Map(sandboxes);
  const server = createServer({ key: SANDBOX_KEY, cert: SANDBOX_CERTIFICATE }, (request, response) => {
    const target = targets.get((request.headers.host ?? '').split('.')[0] ?? '');
    if (target) passOn(request, response, new URL(target));
    else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    port,
    targets: sandboxes,
    lead: (target) => {
      const name = `receiver${targets.size}`;
      targets.set(name, target);
      return `https://${name}.sandbox.example:${port}`;
    },
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function passOn(request: IncomingMessage, response: ServerResponse, { hostname, port }: URL): void {
  const onward = httpRequest(
    { hostname, port, path: request.url, method: request.method, headers: { ...request.headers, host: `${hostname}:${port}` } },
    (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    },
  );
  onward.on('error', () => response.destroy());
  request.pipe(onward);
}

/** The sandbox's settings with the names that lead through the front. */
export function overFront(env: Readonly<Record<string, string>>, { port, targets }: SandboxFront): Record<string, string> {
  const addressed = (value: string) => {
    for (const [name, target] of targets)
      if (value.startsWith(target)) return value.replace(target, `https://${name}.sandbox.example:${port}`);
    return value;
  };
  return Object.fromEntries(Object.entries(env).map(([name, value]) => [name, addressed(value)]));
}
