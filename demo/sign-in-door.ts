import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { html, htmlPage } from '../src/http-api/html';
import { signInLinkOf } from './http-client';

export interface Door {
  readonly path: string;
  /** What is behind it, for people. */
  readonly title: string;
  readonly returnTo: string;
  token(): Promise<string>;
}

export interface SignInDoor {
  /** Its own page, with a link to each door: the demo's product (PRODUCT_URL). */
  readonly url: string;
  /** The address of each door. */
  readonly doors: readonly { readonly title: string; readonly url: string }[];
  /** Where the service is, once it is up. */
  leadsTo(serviceUrl: string): void;
  stop(): void;
}

/** What a product's backend does when its user opens the integrations: asks for a sign-in link, which lasts a minute, and sends the browser there. */
export async function startSignInDoor(doors: readonly Door[]): Promise<SignInDoor> {
  let serviceUrl: string | undefined;
  const server = createServer((request, response) => {
    if (request.method !== 'GET') return void response.writeHead(405, { allow: 'GET' }).end();
    if (request.url === '/') return showDoors(response, doors);
    const door = doors.find(({ path }) => path === request.url);
    if (!door || serviceUrl === undefined) return void response.writeHead(404).end();
    return void pass(response, door, serviceUrl);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    doors: doors.map(({ path, title }) => ({ title, url: `${url}${path}` })),
    leadsTo: (address) => void (serviceUrl = address),
    stop: () => void server.close(),
  };
}

async function pass(response: ServerResponse, door: Door, serviceUrl: string): Promise<void> {
  try {
    const location = await signInLinkOf(serviceUrl, await door.token(), door.returnTo);
    response.writeHead(302, { location, 'cache-control': 'no-store' }).end();
  } catch {
    response.writeHead(502).end('The service did not answer.');
  }
}

function showDoors(response: ServerResponse, doors: readonly Door[]): void {
  const links = doors.map(({ path, title }) => html`<li><a href="${path}">${title}</a></li>`);
  const page = htmlPage(
    "The demo's product",
    html`<p>Each link signs you in, as a product does with its users.</p>
      <ul>
        ${links}
      </ul>`,
  );
  response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(page);
}
