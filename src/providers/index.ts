import type { Type } from '@nestjs/common';
import type { ProviderSettingsDeclaration } from '../config/provider-settings';
import { GoogleModule } from './google/google.module';
import { SlackModule } from './slack/slack.module';
import { plainSettings, type PlainProvider } from '../integrations';
import * as plain from './plain';
import plainTranslations from './plain/translations.json';
import { StripeModule } from './stripe/stripe.module';

/** The module of a provider, and what it reads of the environment. */
export type ProviderModule = Type & { readonly settings: ProviderSettingsDeclaration };

/** The providers that the service has: one line each, and nothing else names them. */
export const PROVIDERS: readonly ProviderModule[] = [SlackModule, StripeModule, GoogleModule];

/** Those that are data. */
export const PLAIN_PROVIDERS: readonly PlainProvider[] = Object.values(plain).map((declared) => ({
  translations: plainTranslations,
  ...declared,
}));

/** For `readEnvironment` and `loadSettings`. */
export const PROVIDER_SETTINGS: readonly ProviderSettingsDeclaration[] = [
  ...PROVIDERS.map(({ settings }) => settings),
  ...PLAIN_PROVIDERS.map(plainSettings),
];
