import { createServer, type AddressInfo, type Server } from 'node:net';
import { atEnd } from '../../faults/lib/clean-up';

/** A port that nobody is to reach: counts every connection. */
export class Tripwire {
  connections = 0;

  private constructor(
    private readonly server: Server,
    readonly port: number,
  ) {}

  static async set(): Promise<Tripwire> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const tripwire = new Tripwire(server, (server.address() as AddressInfo).port);
    server.on('connection', (socket) => {
      tripwire.connections++;
      socket.destroy();
    });
    atEnd(() => new Promise<void>((resolve) => void tripwire.server.close(() => resolve())));
    return tripwire;
  }
}
