import dns from 'node:dns';
import { Socket } from 'node:net';

/**
 * Names below sandbox.example lead to this machine although their address is a public one: only the last step of the network is
 * pretended. The service's own look at the address comes before it, as with every other name.
 */
const SANDBOX = /\.sandbox\.example$/;

interface Target {
  readonly host?: string;
  readonly lookup?: (host: string, options: object, done: (error: Error | null) => void) => void;
}
type Connect = (this: Socket, ...args: unknown[]) => Socket;

const original = Socket.prototype.connect as unknown as Connect;

function connect(this: Socket, ...args: unknown[]): Socket {
  const [first, ...rest] = args;
  const target = (Array.isArray(first) ? first[0] : first) as Target | undefined;
  if (typeof target !== 'object' || !SANDBOX.test(target.host ?? '')) return original.apply(this, args);
  const { lookup = dns.lookup as unknown as NonNullable<Target['lookup']>, ...others } = target;
  const listener = Array.isArray(first) ? [first[1]] : rest;
  lookup(target.host ?? '', { all: true }, (error) => {
    if (error) this.destroy(error);
    else original.call(this, { ...others, host: '127.0.0.1' }, ...listener.filter((each) => typeof each === 'function'));
  });
  return this;
}

(Socket.prototype as { connect: unknown }).connect = connect;
