import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { emptyGoogleState, type GoogleState } from './google/google.state';
import { secretText } from './random';
import type { SandboxSecrets } from './sandbox-context';
import { emptySlackState, type SlackState } from './slack/slack.state';
import { emptyStripeState, type StripeState } from './stripe/stripe.state';

export interface SandboxState {
  secrets: SandboxSecrets;
  slack: SlackState;
  stripe: StripeState;
  google: GoogleState;
}

const SAVE_AFTER_MS = 500;

export function freshState(): SandboxState {
  return {
    secrets: {
      slackClientId: `${digits(12)}.${digits(13)}`,
      slackClientSecret: secretText(32).toLowerCase(),
      slackSigningSecret: secretText(32).toLowerCase(),
      stripeClientId: `ca_${secretText(32)}`,
      stripeSecretKey: `sk_test_51${secretText(97)}`,
      stripeWebhookSecret: `whsec_${secretText(32)}`,
      googleClientId: `${digits(12)}-${secretText(32).toLowerCase()}.apps.googleusercontent.com`,
      googleClientSecret: `GOCSPX-${secretText(28)}`,
    },
    slack: emptySlackState(),
    stripe: emptyStripeState(),
    google: emptyGoogleState(),
  };
}

/** Keeps the whole state in one JSON file, written a moment after a change and at the end. */
export class StateFile {
  readonly state: SandboxState;
  private timer: NodeJS.Timeout | null = null;

  constructor(private readonly path: string | undefined) {
    this.state = (path && load(path)) || freshState();
  }

  readonly changed = (): void => {
    if (!this.path || this.timer) return;
    this.timer = setTimeout(() => this.save(), SAVE_AFTER_MS);
    this.timer.unref();
  };

  save(): void {
    if (this.timer) clearTimeout(this.timer);
    this.timer = null;
    if (!this.path) return;
    writeFileSync(`${this.path}.new`, JSON.stringify(this.state, pack), { mode: 0o600 });
    renameSync(`${this.path}.new`, this.path);
  }
}

function load(path: string): SandboxState | null {
  try {
    const state = JSON.parse(readFileSync(path, 'utf8'), unpack) as SandboxState;
    // What was under way when the process ended is not under way any more.
    for (const { idempotency } of state.stripe.accounts.values()) {
      for (const [key, result] of idempotency) if (result.running) idempotency.delete(key);
    }
    return state;
  } catch {
    // None yet, or one that was cut off: the sandbox starts afresh.
    return null;
  }
}

function pack(_key: string, value: unknown): unknown {
  if (value instanceof Map) return { $map: [...value] };
  if (value instanceof Set) return { $set: [...value] };
  return value;
}

function unpack(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if ('$map' in value && Array.isArray(value.$map)) return new Map(value.$map as [unknown, unknown][]);
  if ('$set' in value && Array.isArray(value.$set)) return new Set(value.$set as unknown[]);
  return value;
}

function digits(length: number): string {
  return Array.from({ length }, () => '0123456789'[Math.floor(Math.random() * 10)]).join('');
}
