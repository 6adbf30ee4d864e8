export { ConnectService, type ConnectRequest } from './connect.service';
export { connectionView, providerView, type ConnectionView, type ProviderView } from './connection-view';
export { ConnectionStatusService, eventOf, type ReauthReason, type RevokedReason } from './connection-status.service';
export { DisconnectService, type BeforeDisconnect } from './disconnect.service';
export { OAuthModule } from './oauth.module';
export { PROVIDER_FETCH, type ProviderFetch, type ProviderFetchOptions } from './provider-fetch';
export { TokenService, type AccessToken, type AccessTokenOptions } from './token.service';
