import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import type { Fault } from './lib/fault';
import { deliveriesOf, judge } from './lib/judge';
import { seconds, sleep } from './lib/waiting';
import { startWorld, type World } from './lib/world';

const MB = 1024 * 1024;
const IN_MB = 100;
const OUT_MB = 50;
const AT_ONCE = 10;
/** What the limits let through at most, the collector's slack included. */
const FLAT_MB = 200;

export const fault: Fault = {
  id: 'F16',
  promise: '100 MB in: 413, not buffered; 50 MB from a provider: cut off at the limit; memory stays flat, others are served',
  stages: ['server', 'embedded'],
  async run(stage, services) {
    const world = await startWorld({ stage, services, processes: 1 });
    const { cluster, sandbox, accounts } = world;
    const [member] = cluster.members;
    if (!member) throw new Error('no process');
    const account = accounts[0] ?? '';
    const connection = await world.connect(account);
    await world.send(200);
    await world.settled(60_000);
    const pid = member.process.child.pid ?? 0;
    const before = residentMb(pid);
    let peak = before;
    const watch = setInterval(() => (peak = Math.max(peak, residentMb(pid))), 20);

    const declared = await Promise.all(Array.from({ length: AT_ONCE }, () => pour(member.port, true)));
    const chunked = await Promise.all(Array.from({ length: AT_ONCE }, () => pour(member.port, false)));
    sandbox.control.addFault({ kind: 'big-body', provider: 'stripe', endpoint: 'customers.list', megabytes: OUT_MB, count: 1_000 });
    const run = await syncOnce(world, connection, account);
    const proxied = await Promise.all(
      Array.from({ length: 4 }, () =>
        world
          .fetch(member, `/v1/connections/${connection}/proxy/v1/customers`, { account })
          .then(async (answer) => (await answer.arrayBuffer()).byteLength / MB)
          .catch(() => 'cut off' as const),
      ),
    );
    sandbox.control.clearFaults();
    await sleep(500);
    clearInterval(watch);
    await world.send(200);
    await world.settled(60_000);
    const judged = await judge(world);

    const refused = [...declared, ...chunked];
    const taken = Math.max(...refused.map(({ sentMb }) => sentMb));
    const cut = proxied.every((size) => size === 'cut off' || size <= OUT_MB / 2);
    return {
      ok:
        judged.ok &&
        deliveriesOf(world).length === judged.acknowledged.size &&
        refused.every(({ status }) => status === 413 || status === 0) &&
        refused.some(({ status }) => status === 413) &&
        taken < 20 &&
        run.error === 'response_too_large' &&
        cut &&
        peak - before < FLAT_MB,
      seen:
        `${AT_ONCE} + ${AT_ONCE} bodies of ${IN_MB} MB at once, with length: ${counted(declared)}, chunked: ${counted(chunked)}, after at most ${taken.toFixed(1)} MB were written, ` +
        `${seconds(Math.max(...refused.map(({ ms }) => ms)))}; a sync that met ${OUT_MB} MB: ${run.status} ${run.error}; 4 such answers through the proxy: ${proxied.map((size) => (size === 'cut off' ? size : `${size.toFixed(1)} MB`)).join(', ')}; ` +
        `memory ${before.toFixed(0)} MB before, ${peak.toFixed(0)} MB at most; beside it ${judged.text}`,
    };
  },
};

/** A socket that is closed with more on its way may lose the answer before the client has read it. */
function counted(answers: readonly { status: number }[]): string {
  const refused = answers.filter(({ status }) => status === 413).length;
  const closed = answers.filter(({ status }) => status === 0).length;
  return `${refused} x 413${closed > 0 ? `, ${closed} x closed` : ''}${refused + closed < answers.length ? ', others TAKEN' : ''}`;
}

function residentMb(pid: number): number {
  return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;
}

/** Writes until it is answered, or all is written. */
function pour(port: number, withLength: boolean): Promise<{ status: number; sentMb: number; ms: number }> {
  const part = Buffer.alloc(64 * 1024, 'x');
  const began = performance.now();
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    let answer = '';
    let sent = 0;
    const end = () => {
      socket.destroy();
      resolve({ status: Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1] ?? 0), sentMb: sent / MB, ms: performance.now() - began });
    };
    const write = (): void => {
      if (answer || socket.destroyed) return;
      if (sent >= IN_MB * MB) return;
      const chunk = withLength ? part : Buffer.concat([Buffer.from(`${part.length.toString(16)}\r\n`), part, Buffer.from('\r\n')]);
      sent += part.length;
      // Asks for more room before it writes more, as clients do; the answer is looked for in between.
      if (socket.write(chunk)) setImmediate(write);
      else socket.once('drain', write);
    };
    socket.on('data', (data) => {
      answer += data.toString('latin1');
      end();
    });
    socket.on('error', end);
    socket.on('close', end);
    socket.setTimeout(20_000, end);
    const length = withLength ? `content-length: ${IN_MB * MB}` : 'transfer-encoding: chunked';
    socket.write(`POST /webhooks/stripe HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n${length}\r\n\r\n`);
    write();
  });
}

async function syncOnce(world: World, connection: string, account: string): Promise<{ status: string; error?: string }> {
  const [member] = world.cluster.members;
  if (!member) throw new Error('no process');
  const started = await world.fetch(member, `/v1/connections/${connection}/syncs`, {
    method: 'POST',
    account,
    body: { type: 'full', resources: ['customers'] },
  });
  const { id } = (await started.json()) as { id: string };
  for (let waited = 0; waited < 60_000; waited += 500) {
    const answer = await world.fetch(member, `/v1/connections/${connection}/syncs`, { account });
    const { data } = (await answer.json()) as { data: { id: string; status: string; error: { code: string } | null }[] };
    const run = data.find((one) => one.id === id);
    if (run && run.error) return { status: run.status, error: run.error.code };
    if (run && !['queued', 'running'].includes(run.status)) return { status: run.status };
    await sleep(500);
  }
  return { status: 'still running' };
}
