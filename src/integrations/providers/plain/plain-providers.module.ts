import { Module, type DynamicModule } from '@nestjs/common';
import { SETTINGS } from '../../../config/config.module';
import type { Settings } from '../../../config/env';
import { providerSettings } from '../../../config/provider-settings';
import { ProviderRegistry } from '../provider-registry';
import { plainProvider } from './plain-engine';
import type { PlainProvider } from './plain-provider';
import { plainSettings } from './plain-settings';

/** All plain providers of the service. */
@Module({})
export class PlainProvidersModule {
  static forRoot(declarations: readonly PlainProvider[]): DynamicModule {
    const register = {
      provide: Symbol.for('trestle.plain-providers'),
      inject: [ProviderRegistry, SETTINGS],
      useFactory: (registry: ProviderRegistry, settings: Settings) => {
        for (const declaration of declarations) {
          const own = providerSettings(settings, plainSettings(declaration));
          registry.register(plainProvider(declaration, own, () => settings.publicUrl));
        }
        return declarations;
      },
    };
    return { module: PlainProvidersModule, providers: [register] };
  }
}
