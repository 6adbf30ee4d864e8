import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { signInLinkOf } from './http-client';

export interface Door {
  readonly path: string;
  readonly returnTo: string;
  token(): Promise<string>;
}

/** What a product's backend does when its user opens the integrations: asks for a sign-in link, which lasts a minute, and sends the browser there. */
export async function startSignInDoor(serviceUrl: string, doors: readonly Door[]): Promise<{ url: string; stop(): void }> {
  const server = createServer((request, response) => {
    const door = doors.find(({ path }) => path === request.url);
    if (!door || request.method !== 'GET') return void response.writeHead(404).end();
    door
      .token()
      .then((token) => signInLinkOf(serviceUrl, token, door.returnTo))
      .then(
        (location) => response.writeHead(302, { location, 'cache-control': 'no-store' }).end(),
        () => response.writeHead(502).end('The service did not answer.'),
      );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, stop: () => void server.close() };
}
