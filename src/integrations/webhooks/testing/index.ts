/** Signed deliveries of every provider, for your own tests. */
export { PubsubIssuer, type PubsubClaims } from './pubsub-issuer';
export { rawDelivery, signedDelivery, signHmac, signSlack, signStripe, type DeliveryOptions, type SignedDelivery } from './signed-delivery';
