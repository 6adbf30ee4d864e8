import { Module, type DynamicModule } from '@nestjs/common';
import { SETTINGS } from '../../../config/config.module';
import type { Settings } from '../../../config/env';
import { providerSettings } from '../../../config/provider-settings';
import { ConnectionsModule, GovernedHttp } from '../../connections';
import { plainSettings, type PlainProvider } from '../../providers';
import { OperationRegistry } from '../operation-registry';
import { OperationsModule } from '../operations.module';
import { plainOperations } from './plain-operations';

/** The operations of all plain providers. */
@Module({})
export class PlainOperationsModule {
  static forRoot(declarations: readonly PlainProvider[]): DynamicModule {
    const register = {
      provide: Symbol.for('trestle.plain-operations'),
      inject: [OperationRegistry, GovernedHttp, SETTINGS],
      useFactory: (registry: OperationRegistry, http: GovernedHttp, settings: Settings) => {
        for (const declaration of declarations)
          registry.register(plainOperations(declaration, providerSettings(settings, plainSettings(declaration)), http));
        return declarations;
      },
    };
    return { module: PlainOperationsModule, imports: [OperationsModule, ConnectionsModule], providers: [register] };
  }
}
