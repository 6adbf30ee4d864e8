/** What is no origin that a browser could send. Exact ones alone: a pattern would also fit whoever registers the next name. */
export function browserOriginFaults(origins: readonly string[]): string[] {
  return origins.flatMap((origin) => {
    if (origin.includes('*')) return [`BROWSER_ORIGINS: "${origin}" is a pattern; name each origin whose pages embed this service`];
    if (URL.canParse(origin) && /^https?:$/.test(new URL(origin).protocol) && new URL(origin).origin === origin) return [];
    return [`BROWSER_ORIGINS: "${origin}" is not an origin as browsers send it, like https://app.example.com, without a path`];
  });
}
