import { googleSandbox } from './google/google.server';
import type { SandboxProvider } from './sandbox-provider';
import { slackSandbox } from './slack/slack.server';
import { stripeSandbox } from './stripe/stripe.server';

/** The pretend providers: one line each, and nothing else names them. */
const REGISTERED = { slack: slackSandbox, stripe: stripeSandbox, google: googleSandbox } as const;

export const PROVIDERS: readonly SandboxProvider[] = Object.values(REGISTERED);

/** By the provider's name: those that are registered are known to the compiler, others may be looked up. */
export type PerProvider<T> = Record<keyof typeof REGISTERED, T> & Record<string, T>;
