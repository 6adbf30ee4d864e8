import dns from 'node:dns';

type Callback = (error: Error | null, addresses: { address: string; family: number }[]) => void;

/** The attacker's name server: what each name leads to, in turn when asked again. */
const ZONE: Readonly<Record<string, readonly (readonly string[])[]>> = {
  'inside.attacker.example': [['127.0.0.1']],
  'private.attacker.example': [['10.0.0.7']],
  'metadata.attacker.example': [['169.254.169.254']],
  'mapped.attacker.example': [['::ffff:127.0.0.1']],
  'local6.attacker.example': [['::1']],
  'nat64.attacker.example': [['64:ff9b::7f00:1']],
  'mixed.attacker.example': [['93.184.216.34', '127.0.0.1']],
  // A public address when it is looked at, an inside one when it is used.
  'rebind.attacker.example': [['93.184.216.34'], ['127.0.0.1']],
};
const asked = new Map<string, number>();
const original = dns.lookup;

/** Only the names above; every other lookup is the machine's. */
function lookup(hostname: string, options: unknown, callback: unknown): void {
  const answers = ZONE[hostname];
  if (!answers) return void (original as unknown as (...args: unknown[]) => void)(hostname, options, callback);
  const turn = asked.get(hostname) ?? 0;
  asked.set(hostname, turn + 1);
  const addresses = (answers[turn % answers.length] ?? []).map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
  setImmediate(() => (callback as Callback)(null, addresses));
}
(dns as { lookup: unknown }).lookup = lookup;

void import('../../../src/main');
