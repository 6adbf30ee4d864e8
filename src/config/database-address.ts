/** As the driver reads it: where the host stands in the query alone (a socket), the address may have none. Undefined where it cannot be read. */
export function databaseAddress(url: string): URL | undefined {
  const text = url.replace('@/', '@localhost/');
  return URL.canParse(text) ? new URL(text) : undefined;
}
