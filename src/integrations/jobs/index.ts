export { WakeUpModule } from './wake-up/wake-up.module';
export { WakeUp } from './wake-up/wake-up';
