import type { KeyObject } from 'node:crypto';
import { z } from 'zod';
import {
  scopesVariable,
  addressVariable,
  secretsVariable,
  type ProviderSettings,
  type ProviderSettingsDeclaration,
} from '../../../config/provider-settings';
import { isConsented } from '../minted';
import type { PlainProvider } from './plain-provider';
import { privateKeyVariable } from './private-key';

export interface PlainSettings extends ProviderSettings {
  /** Whether pages show it; default: when its client id is set. */
  readonly offered?: boolean;
  /** What the app signs with to show that it is itself. */
  readonly privateKey?: KeyObject;
  /** In place of the declaration's. */
  readonly scopes?: readonly string[];
  /** Whom the tokens of deliveries must be for, where they are signed with published keys. */
  readonly webhookAudience?: string;
  /** In place of the declaration's. */
  readonly webhookKeysUrl?: string;
}

const ABSENT: PlainSettings = { webhookSecrets: [] };
const text = z.string().optional();
const address = addressVariable();
const secrets = secretsVariable();
const flag = z
  .enum(['true', 'false'])
  .transform((value) => value === 'true')
  .optional();
const scopes = scopesVariable();
/** The environment's name of a key: `CONSTANT_CONTACT` of `constant-contact`. */
export const prefixOf = (key: string): string => key.toUpperCase().replaceAll('-', '_');

/** What every plain provider reads of the environment, by its key. */
export function plainSettings({ key, oauth2, webhooks, app }: PlainProvider): ProviderSettingsDeclaration<PlainSettings> {
  const prefix = prefixOf(key);
  const signsIn = isConsented(oauth2);
  const variables = {
    [`${prefix}_OFFERED`]: flag,
    [`${prefix}_API_BASE_URL`]: address,
    [`${prefix}_USERINFO_URL`]: address,
    ...(oauth2 && { [`${prefix}_TOKEN_URL`]: address, [`${prefix}_REVOKE_URL`]: address }),
    ...((signsIn || app) && { [`${prefix}_CLIENT_ID`]: text, [`${prefix}_CLIENT_SECRET`]: text }),
    ...(app?.by === 'jwt' && { [`${prefix}_PRIVATE_KEY`]: privateKeyVariable() }),
    ...(signsIn && {
      [`${prefix}_SCOPES`]: scopes,
      [`${prefix}_AUTHORIZE_URL`]: address,
    }),
    ...(webhooks &&
      webhooks.scheme.kind !== 'watch' &&
      (webhooks.scheme.kind === 'jwks'
        ? { [`${prefix}_WEBHOOK_AUDIENCE`]: text, [`${prefix}_WEBHOOK_KEYS_URL`]: address }
        : { [`${prefix}_WEBHOOK_SECRET`]: secrets })),
  };
  const read = (values: Readonly<Record<string, unknown>>, fault: (sentence: string) => void): PlainSettings => {
    const of = <T>(name: string) => values[`${prefix}_${name}`] as T | undefined;
    const clientId = of<string>('CLIENT_ID');
    const clientSecret = of<string>('CLIENT_SECRET');
    if (clientSecret && !clientId) fault(`${prefix}_CLIENT_SECRET: set without its id; set ${prefix}_CLIENT_ID too`);
    if (clientId && !clientSecret) fault(`${prefix}_CLIENT_ID: set without its secret; set ${prefix}_CLIENT_SECRET too`);
    const privateKey = of<KeyObject>('PRIVATE_KEY');
    if (privateKey && !clientId) fault(`${prefix}_PRIVATE_KEY: set without the app that it is of; set ${prefix}_CLIENT_ID too`);
    if (app?.by === 'jwt' && clientId && !privateKey)
      fault(`${prefix}_CLIENT_ID: set without what the app signs with; set ${prefix}_PRIVATE_KEY too`);
    if (webhooks?.scheme.kind === 'call' && of<string[]>('WEBHOOK_SECRET')?.length && !clientId)
      fault(
        `${prefix}_WEBHOOK_SECRET: deliveries are verified by a call; set ${prefix}_CLIENT_ID and ${prefix}_CLIENT_SECRET, with which it is made`,
      );
    const told = {
      clientId,
      clientSecret,
      privateKey,
      offered: of<boolean>('OFFERED'),
      scopes: of<string[]>('SCOPES'),
      authorizeUrl: of<string>('AUTHORIZE_URL'),
      tokenUrl: of<string>('TOKEN_URL'),
      revokeUrl: of<string>('REVOKE_URL'),
      userinfoUrl: of<string>('USERINFO_URL'),
      apiBaseUrl: of<string>('API_BASE_URL'),
      webhookAudience: of<string>('WEBHOOK_AUDIENCE'),
      webhookKeysUrl: of<string>('WEBHOOK_KEYS_URL'),
    };
    return {
      webhookSecrets: of<string[]>('WEBHOOK_SECRET') ?? [],
      ...Object.fromEntries(Object.entries(told).filter(([, each]) => each !== undefined)),
    };
  };
  return { key, variables, read, absent: ABSENT };
}
