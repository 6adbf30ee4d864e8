export { KEY_ROWS_COUNTED, KeyRotationService, type KeyUse } from './key-rotation.service';
export { KeysModule } from './keys.module';
