export { hashChannelToken, verifyChannelToken, type ChannelHeaders, type KnownChannel } from './channel-token.scheme';
export { verifyHmac, type HmacScheme } from './hmac.scheme';
export { PubsubVerifier, type PubsubFacts } from './pubsub.verifier';
export { verifySlackSignature } from './slack.scheme';
export { verifyStandardWebhook } from './standard.scheme';
export { verifyStripeSignature } from './stripe.scheme';
