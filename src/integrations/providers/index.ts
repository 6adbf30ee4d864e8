export { ProviderRegistryModule } from './provider-registry.module';
export { ProviderRegistry } from './provider-registry';
export { hashChannelToken, verifyChannelToken } from './signatures/channel-token.scheme';
export { verifyHmac } from './signatures/hmac.scheme';
export { PubsubVerifier } from './signatures/pubsub.verifier';
export { verifySlackSignature } from './signatures/slack.scheme';
export { signStandardWebhook, standardWebhookKey, type StandardMessage } from './signatures/standard-webhook.signer';
export { verifyStandardWebhook } from './signatures/standard.scheme';
export { verifyStripeSignature } from './signatures/stripe.scheme';
