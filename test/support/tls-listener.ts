import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSecureContext, TLSSocket } from 'node:tls';

export interface Authority {
  /** File of the certificate that signs the others. */
  readonly ca: string;
  /** Of a server that is reached as `localhost`. */
  readonly key: Buffer;
  readonly cert: Buffer;
  remove(): void;
}

export const opensslIsThere = () => spawnSync('openssl', ['version']).status === 0;

/** An authority of the test's own, with one server's certificate. */
export function makeAuthority(): Authority {
  const folder = mkdtempSync(join(tmpdir(), 'trestle-tls-'));
  const path = (name: string) => join(folder, name);
  const openssl = (...args: string[]) => void execFileSync('openssl', args, { stdio: 'ignore' });
  const newKey = (name: string) => ['-newkey', 'rsa:2048', '-nodes', '-keyout', path(`${name}.key`)];
  writeFileSync(path('san'), 'subjectAltName=DNS:localhost');
  openssl('req', '-x509', ...newKey('ca'), '-out', path('ca.pem'), '-days', '2', '-subj', '/CN=Authority of a test');
  openssl('req', ...newKey('server'), '-out', path('server.csr'), '-subj', '/CN=localhost');
  const signed = ['-CA', path('ca.pem'), '-CAkey', path('ca.key'), '-CAcreateserial', '-extfile', path('san'), '-days', '2'];
  openssl('x509', '-req', '-in', path('server.csr'), ...signed, '-out', path('server.pem'));
  return {
    ca: path('ca.pem'),
    key: readFileSync(path('server.key')),
    cert: readFileSync(path('server.pem')),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** https://www.postgresql.org/docs/current/protocol-message-formats.html, SSLRequest: eight bytes, answered by one. */
const SSL_REQUEST_BYTES = 8;

export interface TlsListener {
  readonly port: number;
  /** Sockets on which TLS was agreed upon. */
  readonly secured: () => number;
  close(): Promise<void>;
}

/**
 * TLS before something that speaks without: `postgres` waits for the client's request first, `redis` begins at once.
 * @param behind what a secured socket is given to
 */
export async function listenWithTls(
  kind: 'postgres' | 'redis',
  { key, cert }: Authority,
  behind: (socket: TLSSocket) => void,
): Promise<TlsListener> {
  const secureContext = createSecureContext({ key, cert });
  const sockets = new Set<Socket>();
  let secured = 0;
  const secure = (socket: Socket) => {
    const tls = new TLSSocket(socket, { isServer: true, secureContext });
    tls.on('error', () => socket.destroy());
    tls.once('secure', () => {
      secured++;
      behind(tls);
    });
  };
  const server: Server = createServer((socket) => {
    sockets.add(socket.on('error', () => undefined).on('close', () => sockets.delete(socket)));
    if (kind === 'redis') return secure(socket);
    socket.once('readable', () => {
      socket.read(SSL_REQUEST_BYTES);
      socket.write('S');
      secure(socket);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    secured: () => secured,
    close: () => {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

/** For `behind`: on to a server on this machine that speaks without TLS. */
export function passOn(port: number): (socket: TLSSocket) => void {
  return (socket) => {
    const to = connect(port, '127.0.0.1').on('error', () => socket.destroy());
    socket.on('close', () => to.destroy());
    to.on('close', () => socket.destroy());
    socket.pipe(to).pipe(socket);
  };
}
