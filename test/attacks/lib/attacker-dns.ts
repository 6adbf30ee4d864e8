import dns from 'node:dns';

type Callback = (error: Error | null, addresses: { address: string; family: number }[]) => void;

/** Public as to its range, and routed nowhere: it was the 6bone's (RFC 3701). Nobody is called. */
const PUBLIC = '3ffe::1';

/** The attacker's name server: what each name leads to, in turn when asked again. */
const ZONE: Readonly<Record<string, readonly (readonly string[])[]>> = {
  'inside.attacker.example': [['127.0.0.1']],
  'private.attacker.example': [['10.0.0.7']],
  'metadata.attacker.example': [['169.254.169.254']],
  'mapped.attacker.example': [['::ffff:127.0.0.1']],
  'loopback6.attacker.example': [['::1']],
  'nat64.attacker.example': [['64:ff9b::7f00:1']],
  'mixed.attacker.example': [[PUBLIC, '127.0.0.1']],
  // Public when it is looked at, inside when it is used.
  'rebind.attacker.example': [[PUBLIC], ['127.0.0.1']],
};
const asked = new Map<string, number>();
const original = dns.lookup as unknown as (...args: unknown[]) => void;

/** Only the names above; every other lookup is the machine's. */
function lookup(hostname: string, options: unknown, callback: unknown): void {
  const answers = hostname.endsWith('.sandbox.example') ? [[PUBLIC]] : ZONE[hostname];
  if (!answers) return original(hostname, options, callback);
  const turn = asked.get(hostname) ?? 0;
  asked.set(hostname, turn + 1);
  const addresses = (answers[turn % answers.length] ?? []).map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
  setImmediate(() => (callback as Callback)(null, addresses));
}

(dns as { lookup: unknown }).lookup = lookup;
