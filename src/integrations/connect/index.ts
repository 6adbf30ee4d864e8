export { ConnectModule } from './connect.module';
export { ConnectService } from './connect.service';
