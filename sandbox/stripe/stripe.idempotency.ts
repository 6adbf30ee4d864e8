import { sha256 } from '../random';
import type { SandboxRequest, SandboxResponse } from '../sandbox.types';
import { StripeFault } from './stripe.errors';
import type { StripeAccount } from './stripe.state';

/** Answers that came before the work began are not kept. */
const NOT_KEPT = new Set([400, 401, 403, 404, 409, 429]);

/** https://docs.stripe.com/api/idempotent_requests */
export async function withIdempotency(
  account: StripeAccount,
  request: SandboxRequest,
  work: () => SandboxResponse,
): Promise<SandboxResponse> {
  const key = request.headers['idempotency-key'];
  if (!key || request.method !== 'POST') {
    await request.delay();
    return work();
  }
  if (key.length > 255)
    throw new StripeFault(400, { message: 'Idempotency keys may be 255 characters at most.', type: 'invalid_request_error' });
  const params = sha256(`${request.path}\n${request.rawBody.toString('utf8')}`);
  const kept = account.idempotency.get(key);
  if (kept?.running) {
    throw new StripeFault(409, {
      code: 'idempotency_key_in_use',
      message: `There is currently another in-progress request using this Stripe-Idempotent-Key (that probably means you submitted twice, and the other request is still going through): ${key}.`,
      type: 'invalid_request_error',
    });
  }
  if (kept && kept.params !== params) {
    throw new StripeFault(400, {
      message: `Keys for idempotent requests can only be used with the same parameters they were first used with. Try using a key other than '${key}' if you meant to execute a different request.`,
      type: 'idempotency_error',
    });
  }
  if (kept) {
    request.note({ replayed: true });
    return { status: kept.status, headers: { 'idempotent-replayed': 'true', 'idempotency-key': key }, body: kept.body };
  }
  const entry = { params, running: true, status: 0, body: null as unknown };
  account.idempotency.set(key, entry);
  try {
    await request.delay();
    const response = attempt(work);
    Object.assign(entry, { running: false, status: response.status, body: structuredClone(response.body) });
    if (NOT_KEPT.has(response.status)) account.idempotency.delete(key);
    return { ...response, headers: { ...response.headers, 'idempotency-key': key } };
  } catch (error) {
    account.idempotency.delete(key);
    throw error;
  }
}

function attempt(work: () => SandboxResponse): SandboxResponse {
  try {
    return work();
  } catch (error) {
    if (error instanceof StripeFault) return error.response();
    throw error;
  }
}
