import type { ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
import type { Fault, FaultPlan } from './faults';
import type { Ledger, LedgerEntry } from './ledger';
import type { ProviderSurface, SandboxRequest, SandboxResponse } from './sandbox.types';

const MEGABYTE = 1024 * 1024;
const ERROR_PAGE = '<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>';

export interface FaultContext {
  plan: FaultPlan;
  fault: Fault;
  request: SandboxRequest;
  /** The true answer, where the work was done before the fault. */
  response: SandboxResponse | null;
  surface: ProviderSurface;
  outgoing: ServerResponse;
  send: (answer: SandboxResponse) => void;
  later: (run: () => void, ms: number) => void;
  ledger: Ledger;
  entry: LedgerEntry;
}

export function sendResponse(outgoing: ServerResponse, answer: SandboxResponse): void {
  if (outgoing.destroyed || outgoing.headersSent) return;
  const { type, bytes } = encode(answer);
  const headers: Record<string, string | number> = { ...(type ? { 'content-type': type } : {}), ...answer.headers };
  if (answer.status !== 204) headers['content-length'] = bytes.length;
  outgoing.writeHead(answer.status, headers).end(bytes);
}

/** Answers wrongly, or not at all, as the fault says. */
export function answerWithFault(context: FaultContext): void {
  const { fault, request, surface, outgoing, send, plan, entry, ledger } = context;
  const retryAfter = plan.retryAfter ?? fault.retryAfter;
  const retryHeaders: Record<string, string> = retryAfter === null || retryAfter === undefined ? {} : { 'retry-after': retryAfter };
  switch (fault.kind) {
    case 'status': {
      const status = fault.status ?? 500;
      const body = fault.body !== undefined ? fault.body : status === 502 ? ERROR_PAGE : surface.errorBody(status, request);
      return send({ status, headers: { ...retryHeaders, ...(typeof body === 'string' ? { 'content-type': 'text/html' } : {}) }, body });
    }
    case 'rate-limit':
    case 'limit': {
      const answer = surface.rateLimited(request, fault.status);
      return send({ ...answer, headers: { ...answer.headers, ...retryHeaders } });
    }
    case 'no-error-json':
      return send({ status: fault.status ?? 500, body: fault.body ?? { message: 'upstream' } });
    case 'html-200':
      return send({ status: 200, headers: { 'content-type': 'text/html' }, body: ERROR_PAGE });
    case 'refuse-refresh':
      return send(surface.refuseRefresh());
    case 'hang':
    case 'hang-after':
      ledger.close(entry, 'hung', null);
      return;
    case 'reset':
    case 'reset-after':
    case 'drop-after-rotate':
      ledger.close(entry, 'reset', null);
      outgoing.socket?.resetAndDestroy();
      return;
    case 'gzip-bomb':
      return sendBomb(context, fault.megabytes ?? 100);
    case 'big-body':
      return sendBigBody(context, fault.megabytes ?? 100);
    case 'latency':
      return context.response ? send(context.response) : undefined;
    default:
      return spoil(context, context.response ?? { status: 200, body: {} });
  }
}

/** The true answer, spoilt on its way. */
function spoil(context: FaultContext, response: SandboxResponse): void {
  const { fault, outgoing, ledger, entry, send } = context;
  const { type, bytes } = encode(response);
  switch (fault.kind) {
    case 'wrong-content-type':
      return send({ ...response, headers: { ...response.headers, 'content-type': 'text/plain' } });
    case 'truncated-json':
      return send({
        status: response.status,
        headers: { ...response.headers, 'content-type': type },
        body: bytes.subarray(0, Math.max(1, bytes.length >> 1)).toString('utf8'),
      });
    case 'cut-body':
      ledger.close(entry, 'reset', response.status);
      outgoing.writeHead(response.status, { 'content-type': type, 'content-length': bytes.length });
      outgoing.write(bytes.subarray(0, bytes.length >> 1), () => outgoing.socket?.resetAndDestroy());
      return;
    case 'slow-body':
      ledger.close(entry, 'answered', response.status);
      outgoing.writeHead(response.status, { 'content-type': type, 'content-length': bytes.length });
      outgoing.flushHeaders();
      return trickle(
        context,
        bytes,
        (byte) => outgoing.write(byte),
        () => outgoing.end(),
      );
    case 'slow-headers': {
      ledger.close(entry, 'answered', response.status);
      const head = Buffer.from(
        `HTTP/1.1 ${response.status} OK\r\nContent-Type: ${type}\r\nContent-Length: ${bytes.length}\r\nConnection: close\r\n\r\n`,
      );
      const socket = outgoing.socket;
      return trickle(
        context,
        Buffer.concat([head, bytes]),
        (byte) => socket?.write(byte),
        () => socket?.end(),
      );
    }
    default:
      return send(response);
  }
}

function trickle(context: FaultContext, bytes: Buffer, write: (byte: Buffer) => void, end: () => void): void {
  let at = 0;
  const step = (): void => {
    if (context.outgoing.destroyed || context.outgoing.socket?.destroyed) return;
    if (at >= bytes.length) return end();
    write(bytes.subarray(at, ++at));
    context.later(step, context.fault.byteIntervalMs ?? 1000);
  };
  step();
}

/** Gzip members may follow one another (RFC 1952, 2.2), so one packed megabyte is sent over and over. */
function sendBomb({ outgoing, ledger, entry }: FaultContext, megabytes: number): void {
  ledger.close(entry, 'answered', 200);
  const member = gzipSync(Buffer.alloc(MEGABYTE, ' '));
  outgoing.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' });
  pump(outgoing, megabytes, member, () => outgoing.end(gzipSync('{}')));
}

function sendBigBody({ outgoing, ledger, entry }: FaultContext, megabytes: number): void {
  ledger.close(entry, 'answered', 200);
  outgoing.writeHead(200, { 'content-type': 'application/json' });
  outgoing.write('{"padding":"');
  pump(outgoing, megabytes, Buffer.alloc(MEGABYTE, 'x'), () => outgoing.end('"}'));
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

function encode(answer: SandboxResponse): { type: string; bytes: Buffer } {
  if (answer.body === undefined) return { type: '', bytes: Buffer.alloc(0) };
  const declared = answer.headers?.['content-type'];
  if (typeof answer.body === 'string') return { type: declared ?? 'text/html; charset=utf-8', bytes: Buffer.from(answer.body) };
  return { type: declared ?? 'application/json; charset=utf-8', bytes: Buffer.from(JSON.stringify(answer.body)) };
}
