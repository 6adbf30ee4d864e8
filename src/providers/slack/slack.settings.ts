import { z } from 'zod';
import { addressVariable, scopesVariable, askForBoth, declareProviderSettings, secretsVariable } from '../../config/provider-settings';
import { SLACK } from './slack.facts';

const APP_PAGE = 'both stand under Basic Information of your app on https://api.slack.com/apps';

export const slackSettings = declareProviderSettings({
  key: SLACK,
  variables: {
    SLACK_CLIENT_ID: z.string().optional(),
    SLACK_CLIENT_SECRET: z.string().optional(),
    SLACK_SIGNING_SECRET: secretsVariable(),
    SLACK_SCOPES: scopesVariable(),
    SLACK_USER_SCOPES: scopesVariable(),
    SLACK_APP_TOKEN: z
      .string()
      .regex(/^xapp-/, 'begins with xapp-; it stands under App-Level Tokens of your app')
      .optional(),
    SLACK_AUTHORIZE_URL: addressVariable(),
    SLACK_TOKEN_URL: addressVariable(),
    SLACK_REVOKE_URL: addressVariable(),
    SLACK_API_BASE_URL: addressVariable(),
  },
  read(values, fault) {
    askForBoth(values, ['SLACK_CLIENT_ID', 'SLACK_CLIENT_SECRET'], APP_PAGE, fault);
    return {
      clientId: values.SLACK_CLIENT_ID,
      clientSecret: values.SLACK_CLIENT_SECRET,
      webhookSecrets: values.SLACK_SIGNING_SECRET,
      scopes: values.SLACK_SCOPES,
      appToken: values.SLACK_APP_TOKEN,
      userScopes: values.SLACK_USER_SCOPES,
      authorizeUrl: values.SLACK_AUTHORIZE_URL,
      tokenUrl: values.SLACK_TOKEN_URL,
      revokeUrl: values.SLACK_REVOKE_URL,
      apiBaseUrl: values.SLACK_API_BASE_URL,
    };
  },
});
