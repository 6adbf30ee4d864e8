import type { ServerResponse } from 'node:http';
import type { Fault, FaultPlan } from './faults';
import type { Ledger, LedgerEntry } from './ledger';
import { cutBody, encode, sendBigBody, sendBomb, slowBody, slowHeaders } from './odd-bodies';
import type { ProviderSurface, SandboxRequest, SandboxResponse } from './sandbox.types';

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
  const answer = context.response ?? { status: 200, body: {} };
  const target = { outgoing, later: context.later, intervalMs: fault.byteIntervalMs ?? 1000 };
  switch (fault.kind) {
    case 'status': {
      const status = fault.status ?? 500;
      const body = fault.body !== undefined ? fault.body : status === 502 ? ERROR_PAGE : surface.errorBody(status, request);
      return send({ status, headers: withRetryAfter(typeof body === 'string' ? { 'content-type': 'text/html' } : {}, retryAfter), body });
    }
    case 'rate-limit':
    case 'limit': {
      const limited = surface.rateLimited(request, fault.status);
      return send({ ...limited, headers: withRetryAfter(limited.headers ?? {}, retryAfter) });
    }
    case 'no-error-json':
      return send({ status: fault.status ?? 500, body: fault.body ?? { message: 'upstream' } });
    case 'html-200':
      return send({ status: 200, headers: { 'content-type': 'text/html' }, body: ERROR_PAGE });
    case 'refuse-refresh':
      return send(surface.refuseRefresh());
    case 'hang':
    case 'hang-after':
      return ledger.close(entry, 'hung', null);
    case 'reset':
    case 'reset-after':
    case 'drop-after-rotate':
      ledger.close(entry, 'reset', null);
      outgoing.socket?.resetAndDestroy();
      return;
    case 'gzip-bomb':
      ledger.close(entry, 'answered', 200);
      return sendBomb(outgoing, fault.megabytes ?? 100);
    case 'big-body':
      ledger.close(entry, 'answered', 200);
      return sendBigBody(outgoing, fault.megabytes ?? 100);
    case 'wrong-content-type':
      return send({ ...answer, headers: { ...answer.headers, 'content-type': 'text/plain' } });
    case 'truncated-json': {
      const { type, bytes } = encode(answer);
      const half = bytes.subarray(0, Math.max(1, bytes.length >> 1)).toString('utf8');
      return send({ status: answer.status, headers: { ...answer.headers, 'content-type': type }, body: half });
    }
    case 'cut-body':
      ledger.close(entry, 'reset', answer.status);
      return cutBody(outgoing, answer);
    case 'slow-body':
      ledger.close(entry, 'answered', answer.status);
      return slowBody(target, answer);
    case 'slow-headers':
      ledger.close(entry, 'answered', answer.status);
      return slowHeaders(target, answer);
    case 'latency':
      return send(answer);
  }
}

/** A null Retry-After takes away the one that the provider would send. */
function withRetryAfter(headers: Record<string, string>, value: string | null | undefined): Record<string, string> {
  const { 'retry-after': usual, ...rest } = headers;
  if (value === null) return rest;
  const shown = value ?? usual;
  return shown === undefined ? rest : { ...rest, 'retry-after': shown };
}
