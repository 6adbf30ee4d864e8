import type { ProviderSettings } from '../../../config/provider-settings';
import { filledAddress, filledOverride, isFilledBy, isTemplate, type Values } from './filled-address';
import type { PlainProvider } from './plain-provider';

type Named = 'apiBaseUrl' | 'authorizeUrl' | 'tokenUrl' | 'revokeUrl';

/** The provider's addresses, filled in and checked; a setting takes an address's place, but never its check. */
export class PlainAddresses {
  constructor(
    private readonly declaration: PlainProvider,
    private readonly own: ProviderSettings,
  ) {}

  /** @throws IntegrationError `destination_refused` where a value is missing or leads elsewhere */
  filled(name: Named, values: Values): string {
    const declared = this.declared(name) ?? '';
    const address = filledAddress(declared, values, this.declaration.hosts ?? []);
    const setting = this.own[name];
    return setting === undefined ? address : filledOverride(setting, values);
  }

  /** As far as the values go: what is not known yet stays a template, which no call can go to. */
  asFarAsKnown(name: Named, values: Values): string | undefined {
    const declared = this.declared(name);
    if (declared === undefined) return undefined;
    return isFilledBy(declared, values) ? this.filled(name, values) : declared;
  }

  /** A path below the API's base, or an address of its own. */
  below(path: string, values: Values): string {
    if (!path.startsWith('https:')) return `${this.filled('apiBaseUrl', values)}${filledOverride(`https://x/${path}`, values).slice(10)}`;
    return this.own.userinfoUrl ?? filledAddress(path, values, this.declaration.hosts ?? []);
  }

  get isTemplate(): boolean {
    return (['apiBaseUrl', 'authorizeUrl', 'tokenUrl', 'revokeUrl'] as const).some((name) => isTemplate(this.declared(name) ?? ''));
  }

  private declared(name: Named): string | undefined {
    return name === 'apiBaseUrl' ? this.declaration.apiBaseUrl : this.declaration.oauth2?.[name];
  }
}
