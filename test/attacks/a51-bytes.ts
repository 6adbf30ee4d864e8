import { connect } from 'node:net';
import { networkOf } from '../../src/http-api/edge/network-of';
import type { Arena } from './lib/arena';
import type { Attack } from './lib/attack';
import { ask, placeOf } from './lib/request';
import { Trials } from './lib/trials';

const MIB = 1024 * 1024;
const SOCKETS = 15;
const BODY_BYTES = 36 * MIB;

const bytes: Attack = {
  id: 'A51',
  expected: `${SOCKETS} bodies of 36 MiB without a token: 401 before the body, memory flat`,
  async run(arena) {
    const trials = new Trials();
    const before = await residentMiB(arena);
    const uploads = await Promise.all(Array.from({ length: SOCKETS }, () => upload(arena.service.url)));
    for (const { status, sent } of uploads) {
      trials.add('refused', status === 401, status);
      trials.add('before the body', sent < BODY_BYTES / 2, `${Math.ceil(sent / MIB)} MiB taken`);
    }
    const grown = (await residentMiB(arena)) - before;
    trials.add('memory stays flat', grown < 100, `${grown} MiB more`);
    trials.status('others are served', await ask(arena.service.url, '/health/live'), 200);
    return trials.verdict();
  },
};

const neighbours: Attack = {
  id: 'A62',
  expected: 'neighbours of one IPv6 network share a limit',
  run() {
    const trials = new Trials();
    const networks = Array.from({ length: 1_000 }, (_, i) => networkOf(`2001:db8:1:2:${i.toString(16)}::${(i * 7).toString(16)}`));
    trials.add('a thousand neighbours', new Set(networks).size === 1, `${new Set(networks).size} network`);
    trials.add('another network', networkOf('2001:db8:1:3::1') !== networks[0]);
    trials.add('IPv4 in the clothes of IPv6', networkOf('::ffff:192.0.2.7') === networkOf('192.0.2.7'));
    trials.note('by the function that names who is counted: this machine has no such addresses to come from');
    return Promise.resolve(trials.verdict());
  },
};

/** Sends on as long as the other side takes it. The headers go first, so that there is time to refuse. */
function upload(origin: string): Promise<{ status: number; sent: number }> {
  return new Promise((resolve) => {
    const { hostname, port, host } = placeOf(origin);
    const socket = connect(Number(port), hostname);
    const piece = Buffer.alloc(64 * 1024, 0x20);
    let written = 0;
    let text = '';
    const push = () => {
      while (!socket.destroyed && written < BODY_BYTES) {
        written += piece.length;
        if (!socket.write(piece)) return;
      }
    };
    socket.on('drain', push);
    socket.on('data', (data) => (text += data.toString('latin1')));
    socket.on('error', () => undefined);
    const late = setTimeout(() => socket.destroy(), 30_000);
    socket.on('close', () => {
      clearTimeout(late);
      resolve({ status: Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1] ?? 0), sent: socket.bytesWritten });
    });
    socket.write(
      `POST /v1/connections/x/proxy/files HTTP/1.1\r\nhost: ${host}\r\ncontent-type: application/octet-stream\r\ntransfer-encoding: chunked\r\n\r\n${BODY_BYTES.toString(16)}\r\n`,
    );
    setTimeout(push, 300);
  });
}

async function residentMiB(arena: Arena): Promise<number> {
  const { text } = await arena.operator('/metrics');
  return Math.round(Number(/^process_resident_memory_bytes ([\d.e+]+)/m.exec(text)?.[1] ?? Infinity) / MIB);
}

export const attacks: readonly Attack[] = [bytes, neighbours];
