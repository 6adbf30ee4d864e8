export { callSdk } from './call-sdk';
export type { CallOptions } from './call';
export { GovernedHttp } from './governed-http';
export { OutboundChainModule } from './outbound-chain.module';
export { OutboundModule } from './outbound.module';
export { CircuitStates } from './policies/circuit-states';
export { type LoggedRequest, RequestLogReader } from './request-log/request-log.reader';
export { OutgoingHttp } from './transport/outgoing-http';
