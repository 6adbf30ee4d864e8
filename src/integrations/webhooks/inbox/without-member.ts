/**
 * The same JSON text with the string members of this name set to null, wherever they stand: for secrets that a provider
 * sends along and nobody has to keep. A quote within a text is escaped, so only real members match.
 */
export function withoutMember(body: Buffer, name: string): Buffer {
  const quoted = `"${name}"`;
  if (!body.includes(quoted)) return body;
  return Buffer.from(body.toString('utf8').replace(new RegExp(`${quoted}\\s*:\\s*"(?:[^"\\\\]|\\\\.)*"`, 'g'), `${quoted}:null`));
}
