export { KeyRotationService, type KeyUse } from './key-rotation.service';
export { KeysModule } from './keys.module';
