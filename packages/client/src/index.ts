export { type CallInit, type Answer, TrestleClient, type TrestleClientOptions } from './client.ts';
export { type ConnectionEvent, type EventOptions } from './events.ts';
export { type Change, type RecordOptions } from './records.ts';
export { type ErrorCode, TrestleError } from './trestle-error.ts';
export { verifyWebhook, type VerifyOptions, type WebhookHeaders, type WebhookMessage, WebhookVerificationError } from './webhook.ts';
export type { components, operations, paths } from './api-types.ts';
