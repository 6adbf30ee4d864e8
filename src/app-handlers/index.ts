export { AppHandlersModule } from './app-handlers.module';
