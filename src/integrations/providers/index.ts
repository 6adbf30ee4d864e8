export { ProviderRegistryModule } from './provider-registry.module';
export { ProviderRegistry } from './provider-registry';
export { filledIn, providerFor, type FilledIn } from './provider-for';
export * from './plain';
export { hashChannelToken, verifyChannelToken } from './signatures/channel-token.scheme';
export { JwksVerifier, type JwksFacts } from './signatures/jwks.verifier';
export type { SignatureScheme } from './signatures/signature-scheme';
export { signStandardWebhook, standardWebhookKey, type StandardMessage } from './signatures/standard-webhook.signer';
export { verifySigned } from './signatures/verify-signed';
