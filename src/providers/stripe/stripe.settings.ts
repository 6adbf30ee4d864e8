import { z } from 'zod';
import { addressVariable, scopesVariable, declareProviderSettings, secretsVariable } from '../../config/provider-settings';
import { STRIPE } from './stripe.facts';

const isWebhookSecret = (secrets: readonly string[]) => secrets.every((secret) => secret.startsWith('whsec_'));

export const stripeSettings = declareProviderSettings({
  key: STRIPE,
  variables: {
    STRIPE_CLIENT_ID: z.string().startsWith('ca_', 'must begin with ca_; it stands in the dashboard under Connect, Settings').optional(),
    // At the token endpoint of Connect the platform's secret key is the client secret.
    STRIPE_SECRET_KEY: z
      .string()
      .regex(/^(sk|rk)_/, 'must begin with sk_ or rk_; it stands in the dashboard under Developers, API keys')
      .optional(),
    STRIPE_WEBHOOK_SECRET: secretsVariable().refine(
      isWebhookSecret,
      'must begin with whsec_; it stands in the dashboard under Developers, Webhooks, at the endpoint',
    ),
    STRIPE_SCOPES: scopesVariable(),
    STRIPE_AUTHORIZE_URL: addressVariable(),
    STRIPE_TOKEN_URL: addressVariable(),
    STRIPE_REVOKE_URL: addressVariable(),
    STRIPE_API_BASE_URL: addressVariable(),
  },
  read(values, fault) {
    if (values.STRIPE_CLIENT_ID && !values.STRIPE_SECRET_KEY) fault('STRIPE_CLIENT_ID: set without its secret; set STRIPE_SECRET_KEY too');
    return {
      clientId: values.STRIPE_CLIENT_ID,
      clientSecret: values.STRIPE_SECRET_KEY,
      webhookSecrets: values.STRIPE_WEBHOOK_SECRET,
      scopes: values.STRIPE_SCOPES,
      authorizeUrl: values.STRIPE_AUTHORIZE_URL,
      tokenUrl: values.STRIPE_TOKEN_URL,
      revokeUrl: values.STRIPE_REVOKE_URL,
      apiBaseUrl: values.STRIPE_API_BASE_URL,
    };
  },
});
