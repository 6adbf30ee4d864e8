// B1, the limit: verified, nothing stored.
require('./bare-http.cjs').serve(() => undefined);
