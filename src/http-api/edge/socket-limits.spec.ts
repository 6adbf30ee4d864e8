import { createServer, type Server } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { limitSockets } from './socket-limits';

describe('the limits of sockets', () => {
  let server: Server;
  const sockets: Socket[] = [];
  const start = async (limits: { total: number; perAddress: number; trusted?: string }) => {
    server = createServer((_, response) => void response.end('ok'));
    limitSockets(server, { ...limits, isTrusted: (address) => address === limits.trusted });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  };
  afterEach(() => {
    for (const socket of sockets.splice(0)) socket.destroy();
    return new Promise((resolve) => server.close(resolve));
  });

  /** Answered, or closed unread. */
  const ask = (): Promise<boolean> =>
    new Promise((resolve) => {
      const socket = connect((server.address() as AddressInfo).port, '127.0.0.1', () => socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n'));
      sockets.push(socket);
      socket.on('error', () => undefined);
      socket.once('data', () => resolve(true));
      socket.once('close', () => resolve(false));
    });

  it('close what one address opens beyond its own, and take it again once some are closed', async () => {
    await start({ total: 100, perAddress: 3 });
    expect([await ask(), await ask(), await ask(), await ask()]).toEqual([true, true, true, false]);
    const [first] = sockets;
    const closed = new Promise((resolve) => first?.once('close', resolve));
    first?.end();
    await closed;
    for (let answered = false; !answered;) answered = await ask();
  });

  it('close what is beyond all', async () => {
    await start({ total: 2, perAddress: 100 });
    expect([await ask(), await ask(), await ask()]).toEqual([true, true, false]);
  });

  it('count no proxy that is trusted', async () => {
    await start({ total: 100, perAddress: 1, trusted: '127.0.0.1' });
    expect([await ask(), await ask(), await ask()]).toEqual([true, true, true]);
  });
});
