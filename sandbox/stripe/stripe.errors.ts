import { randomBytes } from 'node:crypto';
import type { Json, SandboxResponse } from '../sandbox.types';

/** https://docs.stripe.com/api/errors */
export class StripeFault extends Error {
  constructor(
    readonly status: number,
    readonly error: Json,
  ) {
    super(String(error['message'] ?? error['type']));
  }

  response(): SandboxResponse {
    return { status: this.status, body: { error: this.error } };
  }
}

export function invalidRequest(message: string, fields: { param?: string; code?: string; status?: number } = {}): StripeFault {
  const { status = 400, ...rest } = fields;
  return new StripeFault(status, {
    ...(rest.code ? { code: rest.code, doc_url: `https://docs.stripe.com/error-codes/${rest.code.replaceAll('_', '-')}` } : {}),
    message,
    ...(rest.param ? { param: rest.param } : {}),
    request_log_url: 'https://dashboard.stripe.com/test/logs',
    type: 'invalid_request_error',
  });
}

export function missingParam(param: string): StripeFault {
  return invalidRequest(`Missing required param: ${param}.`, { param, code: 'parameter_missing' });
}

/** 404 for an id in the path, 400 for one in the parameters. */
export function noSuch(kind: string, id: string, param?: string): StripeFault {
  return invalidRequest(`No such ${kind}: '${id}'`, { code: 'resource_missing', param: param ?? 'id', status: param ? 400 : 404 });
}

const DECLINE_TEXT: Record<string, string> = {
  insufficient_funds: 'Your card has insufficient funds.',
  expired_card: 'Your card has expired.',
  lost_card: 'Your card was declined.',
};

/** https://docs.stripe.com/declines/codes */
export function cardDeclined(declineCode: string, paymentIntent: Json | null): StripeFault {
  return new StripeFault(402, {
    charge: `ch_3${randomBytes(12).toString('hex')}`,
    code: declineCode === 'expired_card' ? 'expired_card' : 'card_declined',
    decline_code: declineCode,
    doc_url: 'https://docs.stripe.com/error-codes/card-declined',
    message: DECLINE_TEXT[declineCode] ?? 'Your card was declined.',
    ...(paymentIntent ? { payment_intent: paymentIntent } : {}),
    request_log_url: 'https://dashboard.stripe.com/test/logs',
    type: 'card_error',
  });
}

export function stripeErrorBody(status: number): Json {
  if (status === 429) return { error: { code: 'rate_limit', message: 'Request rate limit exceeded.', type: 'invalid_request_error' } };
  if (status === 401) return { error: { message: 'Invalid API Key provided: sk_test_****', type: 'invalid_request_error' } };
  if (status >= 500) return { error: { message: 'An unknown error occurred', type: 'api_error' } };
  return { error: { message: 'The request could not be processed.', type: 'invalid_request_error' } };
}
