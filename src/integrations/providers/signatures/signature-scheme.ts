export type SignatureScheme =
  | {
      readonly kind: 'hmac';
      readonly header: string;
      readonly prefix?: string;
      readonly encoding?: 'hex' | 'base64';
      readonly algorithm?: 'sha1' | 'sha256' | 'sha512';
      /** What is signed: `{body}`, `{url}`, `{method}`, `{timestamp}`, `{header:name}`. Default `{body}`. */
      readonly signed?: string;
      /** Header with the time, or where it stands in the JSON (`/webhookTimestamp`); older or newer than five minutes is refused. */
      readonly timestamp?: string;
      readonly timestampAs?: 's' | 'ms' | 'iso';
      /** How a secret is written: default as it is. */
      readonly secretAs?: 'text' | 'base64' | 'hex';
      /** The header is `t=...,v1=...`: names of its parts. */
      readonly parts?: { readonly timestamp: string; readonly signature: string };
    }
  | { readonly kind: 'standard'; readonly prefix?: string }
  | { readonly kind: 'ed25519'; readonly header: string; readonly timestamp: string; readonly encoding?: 'hex' | 'base64' }
  | { readonly kind: 'ecdsa'; readonly header: string; readonly timestamp: string }
  | { readonly kind: 'jwt'; readonly header: string; readonly bodyHash?: string; readonly algorithm?: 'HS256' }
  /** A token that the sender's issuer signed with a key that it publishes; whom it must be for is a setting. */
  | {
      readonly kind: 'jwks';
      /** Default `authorization`: `Bearer <JWT>`. */
      readonly header?: string;
      /** Where the issuer publishes its keys. */
      readonly keys: string;
      readonly issuers: readonly string[];
      /** Claim that holds the body's SHA-256 in hexadecimal: without it the token says nothing of the body. */
      readonly bodyHash?: string;
      /** Default RS256. */
      readonly algorithm?: 'RS256' | 'ES256';
    }
  /** No signature: each notification has the token that we gave the provider with its watch, as `channel.token`. */
  | { readonly kind: 'watch'; readonly token: string }
  /**
   * The provider itself is asked whether a delivery is its own: a governed call with the token of the connection that the delivery is for, or else
   * of the app. Before that only what costs nothing is looked at: the headers, the time, the host of the key's address.
   */
  | {
      readonly kind: 'call';
      /** A POST below `apiBaseUrl`. */
      readonly path: string;
      /** JSON, a field each: `{header:name}`, `{secret}` (what was set for the webhook, e.g. its id), or `{body}`: the delivery as it came, for one field. */
      readonly body: Readonly<Record<string, string>>;
      /** What the answer says of a delivery that is genuine. */
      readonly good: { readonly at: string; readonly is: string };
      /** Header with the signature, which nothing here can verify. */
      readonly header: string;
      /** Header with the time (ISO 8601). */
      readonly timestamp: string;
      /** How old a delivery may be, seconds: as long as the provider repeats it with the time of its first try. Default 300. */
      readonly oldestS?: number;
      /** Header with the address of the key, and the hosts that it may have; `*` is one label. */
      readonly keyAddress?: { readonly header: string; readonly hosts: readonly string[] };
    }
  | { readonly kind: 'token'; readonly header: string; readonly prefix?: string };

/** What is verified with a secret or a key that stands in the settings. */
export type KeyedScheme = Exclude<SignatureScheme, { kind: 'jwks' | 'watch' | 'call' }>;

/** The options of one kind. */
export type SchemeOf<K extends SignatureScheme['kind']> = Extract<SignatureScheme, { kind: K }>;
