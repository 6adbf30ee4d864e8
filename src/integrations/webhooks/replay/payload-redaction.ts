/** Fields whose value nobody needs to see: credentials, means of payment, and ways to reach a person. */
const HIDDEN =
  /(token|secret|passw|authorization|api_?key|signature|credential|private|cookie|session|otp|\bpin\b|iban|account_number|routing_number|card_?number|cvc|fingerprint|e-?mail|phone|address_?line|^line[12]$|postal|ssn|birth|ip_?address)/i;
const SECRET_VALUE = /\b(xox[a-z]-|xoxe\.|sk_|rk_|whsec_|ya29\.|eyJ[A-Za-z0-9_-]{10})[A-Za-z0-9._-]*/g;
const EMAIL = /[^\s@"<>]{1,64}@[^\s@"<>]+\.[a-z]{2,}/gi;
const LIMITS = { depth: 12, items: 50, fields: 200, chars: 1_000 };

/** A payload as administrators see it: its shape and what it is about, without what is secret or personal. */
export function redacted(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return redactedText(value);
  if (typeof value !== 'object' || value === null) return value;
  if (depth >= LIMITS.depth) return '…';
  if (Array.isArray(value)) {
    const shown = value.slice(0, LIMITS.items).map((item) => redacted(item, depth + 1));
    return value.length > LIMITS.items ? [...shown, `… ${value.length - LIMITS.items} more`] : shown;
  }
  const fields = Object.entries(value).slice(0, LIMITS.fields);
  // fromEntries defines own properties: a field named __proto__ stays a field
  return Object.fromEntries(
    fields.map(([name, field]) => [name, HIDDEN.test(name) && isFilled(field) ? '[hidden]' : redacted(field, depth + 1)]),
  );
}

function redactedText(text: string): string {
  const short = text.length > LIMITS.chars ? `${text.slice(0, LIMITS.chars)}…` : text;
  return short.replace(SECRET_VALUE, '[hidden]').replace(EMAIL, '[hidden]');
}

function isFilled(value: unknown): boolean {
  return value !== null && value !== undefined && value !== '' && typeof value !== 'boolean';
}
