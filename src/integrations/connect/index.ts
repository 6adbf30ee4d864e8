export { ConnectModule } from './connect.module';
export { ConnectService } from './connect.service';
export { KeyConnectService } from './key-connect.service';
