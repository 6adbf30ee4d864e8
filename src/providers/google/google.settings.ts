import { z } from 'zod';
import {
  addressVariable,
  scopesVariable,
  askForBoth,
  declareProviderSettings,
  type ProviderSettings,
} from '../../config/provider-settings';
import { FIRST_MAILS } from './google-mail.extent';
import { GOOGLE } from './google.facts';

export interface GoogleSettings extends ProviderSettings {
  /** Mails of each mailbox that are read, the newest first, beside those that come later. Infinity: all. */
  readonly mailNewest: number;
  /** What the token of a Pub/Sub push must say, and the topic that Gmail is asked to publish to. */
  readonly pubsub: {
    readonly audience?: string;
    readonly email?: string;
    readonly jwksUrl?: string;
    readonly issuer?: string;
    readonly topic?: string;
  };
}

const CREDENTIALS_PAGE = 'both stand at your OAuth client on https://console.cloud.google.com/apis/credentials';

export const googleSettings = declareProviderSettings({
  key: GOOGLE,
  variables: {
    GOOGLE_CLIENT_ID: z.string().optional(),
    GOOGLE_CLIENT_SECRET: z.string().optional(),
    GOOGLE_PUBSUB_AUDIENCE: z.string().optional(),
    GOOGLE_PUBSUB_EMAIL: z
      .string()
      .includes('@', { error: 'must be the address of the service account that the push subscription signs in as' })
      .optional(),
    GOOGLE_PUBSUB_TOPIC: z
      .string()
      .regex(/^projects\/[^/\s]+\/topics\/[^/\s]+$/, 'must be of the form projects/your-project/topics/your-topic')
      .optional(),
    GOOGLE_PUBSUB_JWKS_URL: addressVariable(),
    GOOGLE_PUBSUB_ISSUER: z.string().optional(),
    GOOGLE_MAIL_NEWEST: z
      .string()
      .regex(/^(all|[1-9]\d{0,6})$/, 'must be a number of mails, or all')
      .optional(),
    GOOGLE_SCOPES: scopesVariable(),
    GOOGLE_AUTHORIZE_URL: addressVariable(),
    GOOGLE_TOKEN_URL: addressVariable(),
    GOOGLE_REVOKE_URL: addressVariable(),
    GOOGLE_USERINFO_URL: addressVariable(),
    GOOGLE_API_BASE_URL: addressVariable(),
  },
  read(values, fault): GoogleSettings {
    askForBoth(values, ['GOOGLE_CLIENT_ID', 'GOOGLE_CLIENT_SECRET'], CREDENTIALS_PAGE, fault);
    const { GOOGLE_PUBSUB_AUDIENCE: audience, GOOGLE_PUBSUB_EMAIL: email } = values;
    if (audience && !email) fault('GOOGLE_PUBSUB_AUDIENCE: set without GOOGLE_PUBSUB_EMAIL; without both every push of Gmail is refused');
    if (email && !audience) fault('GOOGLE_PUBSUB_EMAIL: set without GOOGLE_PUBSUB_AUDIENCE; without both every push of Gmail is refused');
    return {
      clientId: values.GOOGLE_CLIENT_ID,
      clientSecret: values.GOOGLE_CLIENT_SECRET,
      webhookSecrets: [],
      scopes: values.GOOGLE_SCOPES,
      authorizeUrl: values.GOOGLE_AUTHORIZE_URL,
      tokenUrl: values.GOOGLE_TOKEN_URL,
      revokeUrl: values.GOOGLE_REVOKE_URL,
      userinfoUrl: values.GOOGLE_USERINFO_URL,
      apiBaseUrl: values.GOOGLE_API_BASE_URL,
      mailNewest: values.GOOGLE_MAIL_NEWEST === 'all' ? Infinity : Number(values.GOOGLE_MAIL_NEWEST ?? FIRST_MAILS),
      pubsub: {
        audience,
        email,
        jwksUrl: values.GOOGLE_PUBSUB_JWKS_URL,
        issuer: values.GOOGLE_PUBSUB_ISSUER,
        topic: values.GOOGLE_PUBSUB_TOPIC,
      },
    };
  },
});
