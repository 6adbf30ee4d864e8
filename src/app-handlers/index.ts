export { AppHandlersModule } from './app-handlers.module';
export { PRODUCT_MIGRATIONS } from './migrations';
