import type { FastifyReply } from 'fastify';
import { IntegrationError } from '../../../errors';
import { type EdgeRequest, ownUrl } from '../../../http-api';
import { isReplayed } from '../execution-outcome';
import type { IncomingCall, ProxiedAnswer } from './proxy-exchange';

/** The answer to a TRACE shows what was sent, the credential with it (RFC 9110, 9.3.8). */
const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

/** Answers a request with what the provider answers to it. @throws IntegrationError `method_not_allowed`, and what the call throws */
export async function replyThrough(
  request: EdgeRequest,
  reply: FastifyReply,
  call: (incoming: IncomingCall) => Promise<ProxiedAnswer>,
): Promise<void> {
  const { method, headers } = request;
  if (!METHODS.has(method)) throw new IntegrationError('method_not_allowed');
  const left = new AbortController();
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) left.abort(); // an answer that ended well leaves nothing to stop
  });
  const body = hasBody(request) ? request.rawBody : undefined;
  const idempotencyKey = headers['idempotency-key'] as string | undefined;
  const answer = await call({ method, url: ownUrl(request), headers, body, idempotencyKey, signal: left.signal }).catch(
    (error: unknown) => {
      if (isReplayed(error)) reply.header('idempotent-replayed', 'true');
      throw error;
    },
  );
  reply.status(answer.status).headers(answer.headers);
  if (answer.replayed) reply.header('idempotent-replayed', 'true');
  await reply.send(answer.body);
}

function hasBody({ method, rawBody }: EdgeRequest): boolean {
  return method !== 'GET' && method !== 'HEAD' && rawBody !== undefined && rawBody.length > 0;
}
