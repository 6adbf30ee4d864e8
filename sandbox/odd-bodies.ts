import type { ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
import type { SandboxResponse } from './sandbox.types';

const MEGABYTE = 1024 * 1024;

export interface SlowTarget {
  outgoing: ServerResponse;
  later: (run: () => void, ms: number) => void;
  intervalMs: number;
}

export function encode(answer: SandboxResponse): { type: string; bytes: Buffer } {
  if (answer.body === undefined) return { type: '', bytes: Buffer.alloc(0) };
  const declared = answer.headers?.['content-type'];
  if (typeof answer.body === 'string') return { type: declared ?? 'text/html; charset=utf-8', bytes: Buffer.from(answer.body) };
  return { type: declared ?? 'application/json; charset=utf-8', bytes: Buffer.from(JSON.stringify(answer.body)) };
}

/** Half of what was promised, then a reset. */
export function cutBody(outgoing: ServerResponse, answer: SandboxResponse): void {
  const { type, bytes } = encode(answer);
  outgoing.writeHead(answer.status, { 'content-type': type, 'content-length': bytes.length });
  outgoing.write(bytes.subarray(0, bytes.length >> 1), () => outgoing.socket?.resetAndDestroy());
}

export function slowBody(target: SlowTarget, answer: SandboxResponse): void {
  const { type, bytes } = encode(answer);
  const { outgoing } = target;
  outgoing.writeHead(answer.status, { 'content-type': type, 'content-length': bytes.length });
  outgoing.flushHeaders();
  trickle(
    target,
    bytes,
    (byte) => outgoing.write(byte),
    () => outgoing.end(),
  );
}

export function slowHeaders(target: SlowTarget, answer: SandboxResponse): void {
  const { type, bytes } = encode(answer);
  const head = `HTTP/1.1 ${answer.status} OK\r\nContent-Type: ${type}\r\nContent-Length: ${bytes.length}\r\nConnection: close\r\n\r\n`;
  const { socket } = target.outgoing;
  trickle(
    target,
    Buffer.concat([Buffer.from(head), bytes]),
    (byte) => socket?.write(byte),
    () => socket?.end(),
  );
}

/** Gzip members may follow one another (RFC 1952, 2.2), so one packed megabyte is sent over and over. */
export function sendBomb(outgoing: ServerResponse, megabytes: number): void {
  outgoing.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' });
  pump(outgoing, megabytes, gzipSync(Buffer.alloc(MEGABYTE, ' ')), () => outgoing.end(gzipSync('{}')));
}

export function sendBigBody(outgoing: ServerResponse, megabytes: number): void {
  outgoing.writeHead(200, { 'content-type': 'application/json' });
  outgoing.write('{"padding":"');
  pump(outgoing, megabytes, Buffer.alloc(MEGABYTE, 'x'), () => outgoing.end('"}'));
}

function trickle({ outgoing, later, intervalMs }: SlowTarget, bytes: Buffer, write: (byte: Buffer) => void, end: () => void): void {
  let at = 0;
  const step = (): void => {
    if (outgoing.destroyed || outgoing.socket?.destroyed) return;
    if (at >= bytes.length) return end();
    write(bytes.subarray(at, ++at));
    later(step, intervalMs);
  };
  step();
}

function pump(outgoing: ServerResponse, times: number, chunk: Buffer, end: () => void): void {
  let left = times;
  const more = (): void => {
    while (left > 0) {
      if (outgoing.destroyed) return;
      left--;
      if (!outgoing.write(chunk)) {
        outgoing.once('drain', more);
        return;
      }
    }
    end();
  };
  more();
}
