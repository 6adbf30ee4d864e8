import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { networkOf } from './network-of';

export interface SocketLimits {
  /** Of the process. */
  readonly total: number;
  /** Of one address (with IPv6: of one /64). */
  readonly perAddress: number;
  /** Reverse proxies, whose sockets are everybody's. */
  readonly isTrusted: (address: string) => boolean;
}

/** Closes the sockets that are too many, before anything is read from them. */
export function limitSockets(server: Server, { total, perAddress, isTrusted }: SocketLimits): void {
  server.maxConnections = total;
  const open = new Map<string, number>();
  server.on('connection', (socket: Socket) => {
    const { remoteAddress } = socket;
    if (remoteAddress === undefined || isTrusted(remoteAddress)) return;
    const network = networkOf(remoteAddress);
    const count = (open.get(network) ?? 0) + 1;
    if (count > perAddress) return void socket.destroy();
    open.set(network, count);
    socket.once('close', () => {
      const left = (open.get(network) ?? 1) - 1;
      if (left > 0) open.set(network, left);
      else open.delete(network);
    });
  });
}
