export type { ChosenOwner } from './chosen-owner';
export { ConnectModule } from './connect.module';
export { CONNECT_NEWS, ConnectService } from './connect.service';
export { KeyConnectService } from './key-connect.service';
