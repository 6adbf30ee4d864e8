/** What is recorded, by noun and verb. */
export const AUDIT_ACTIONS = [
  'connection.connect',
  'connection.update',
  'connection.disconnect',
  'connection.purge',
  'grant.end',
  'operation.run',
  'proxy.call',
  'app.call',
  'webhook.replay',
  'webhook.replay-cancel',
  'delivery.resend',
  'destination.create',
  'destination.update',
  'destination.delete',
  'destination.rotate-secret',
  'keys.rotate',
  'session.open',
  'session.end',
  'browser-token.create',
  'sync.confirm',
  'mapping.set',
  'mapping.end',
  'client.set',
  'client.end',
  'webhook-address.set',
  'webhook-address.end',
  'alert.acknowledge',
  'user.erase',
  'user.export',
  'approval.decide',
  'agent-token.create',
  'agent-token.end',
] as const;
export type AuditAction = (typeof AUDIT_ACTIONS)[number];

/** Something to be recorded. Who did it is known from the request; a job's own deeds are the system's. */
export interface AuditedAct {
  readonly action: AuditAction;
  /** Whose it is that is acted upon. */
  readonly tenant: string;
  /** A noun and an id, e.g. `connection:0198...`; an operation names itself and its connection. Never a secret, never content. */
  readonly target: string;
}
