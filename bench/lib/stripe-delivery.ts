import { createHmac } from 'node:crypto';

export const BENCH_SECRET = 'whsec_bench';
/** Type of the events; the effect handler takes it, no other handler does. */
export const BENCH_TYPE = 'bench.happened';
const BODY_BYTES = 1_024;

/** Event `number` of a series, as it is known everywhere. */
export function eventId(series: string, number: number): string {
  return `evt_${series}_${number}`;
}

/** An event of 1 KiB. Its object is its own, as an order guard must have something to guard. */
export function eventBody(id: string, account: string, created: number): Buffer {
  const object = { id: `obj_${id}`, object: 'thing', note: '' };
  const event = { id, object: 'event', type: BENCH_TYPE, created, livemode: true, account, data: { object } };
  object.note = 'x'.repeat(Math.max(0, BODY_BYTES - JSON.stringify(event).length));
  return Buffer.from(JSON.stringify(event));
}

export interface Series {
  readonly name: string;
  readonly count: number;
  readonly account: string;
  /** Every so many events, one is delivered a second time at the end. Default: none. */
  readonly twiceEvery?: number;
}

/** The requests of a series as bytes, signed now: signing is no part of what is measured. */
export function signedRequests(path: string, { name, count, account, twiceEvery = 0 }: Series): Buffer[] {
  const requests: Buffer[] = [];
  for (let number = 0; number < count; number++) requests.push(signedRequest(path, eventId(name, number), account));
  if (twiceEvery > 0) for (let number = 0; number < count; number += twiceEvery) requests.push(requests[number] as Buffer);
  return requests;
}

export function signedRequest(path: string, id: string, account: string): Buffer {
  const seconds = Math.floor(Date.now() / 1_000);
  const body = eventBody(id, account, seconds);
  const signature = createHmac('sha256', BENCH_SECRET).update(`${seconds}.`).update(body).digest('hex');
  const head = [
    `POST ${path} HTTP/1.1`,
    'host: 127.0.0.1',
    'content-type: application/json; charset=utf-8',
    'user-agent: Stripe/1.0 (+https://stripe.com/docs/webhooks)',
    `stripe-signature: t=${seconds},v1=${signature}`,
    `content-length: ${body.length}`,
  ];
  return Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`), body]);
}
