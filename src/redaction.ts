/** Tells secrets by what they are, not by the name of the field they stand in. The one list of shapes. */
const SHAPES: readonly RegExp[] = [
  /\bxox[a-z](?:\.xox[a-z])?-[\w-]{8,}/g, // Slack
  /\bxapp-[\w-]{8,}/g,
  /\b(?:sk|rk|pk)_(?:live|test)_\w{8,}/g, // Stripe
  /\bwhsec_[\w+/=-]{8,}/g,
  /\bya29\.[\w.-]{8,}/g, // Google
  /\b1(?:\/|%2F){2}[\w-]{20,}/gi,
  /\bGOCSPX-[\w-]{8,}/g,
  /\bAIza[\w-]{30,}/g,
  /\bgh[opsur]_\w{16,}/g, // GitHub
  /\bgithub_pat_\w{16,}/g,
  /\bglpat-[\w-]{16,}/g,
  /\btbt_[\w-]{16,}/g, // our own browser tokens
  /\beyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*)?/g, // a JWT
  /\b(?:Bearer|Basic) +(?=[\w.~+/=-]*[\d_.=-])[\w.~+/=-]{8,}/gi,
  // in a query string or a form
  /(?<=\b(?:code|state|session|token|access_token|refresh_token|client_secret|api_?key|password)=)[^&\s"'\\]+/gi,
  // the password of an address
  /(?<=\b[a-z][a-z0-9+.-]{1,20}:\/\/[^\s:/@"]{0,100}:)[^\s@/"]+(?=@)/gi,
];

/** Members of JSON that are never to be read, at any depth, whatever their value looks like. */
const MEMBERS =
  /"((?:access_?|refresh_?|id_?|bot_?)?token|api_?key|client_?secret|password|secret|authorization|(?:set-)?cookie)":"(?:[^"\\]|\\.)*"/gi;

/** Shorter ones would be found in words. */
const LEAST_CHARS = 8;
/** Tokens in use that are remembered: the newest. */
const REMEMBERED = 20_000;
/** A token as it stands between spaces, quotes, `=` and the like. */
const WORD = /[\w.~+-]{16,}/g;

/** What is stored encrypted may also be a whole answer, whose words are anybody's. */
const TOKEN = /^[^\s[{][\S]{15,4095}$/;

const settings = new Set<string>();
const inUse = new Set<string>();
let ofSettings: RegExp | undefined;

/** Settings that hold a secret, by their names. */
const SECRET_SETTING = /SECRET|PASSWORD|TOKEN$|_KEYS?$|HOOK_URL$/;

/** Of an environment. Several stand in one with commas between, a key after its id. */
export function secretsOf(env: Readonly<Record<string, string | undefined>>): string[] {
  return Object.entries(env).flatMap(([name, value = '']) =>
    SECRET_SETTING.test(name)
      ? value.split(',').map((each) => (name === 'ENCRYPTION_KEYS' ? each.slice(each.indexOf(':') + 1) : each).trim())
      : [],
  );
}

/** For secrets of the settings, which are few. */
export function rememberSettings(secrets: Iterable<string | undefined>): void {
  for (const secret of secrets) if (secret !== undefined && secret.length >= LEAST_CHARS) settings.add(secret);
  // as it stands in a line of JSON; the longest first, as one may begin with another
  const texts = [...settings].flatMap((secret) => [secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret)]);
  const longestFirst = [...new Set(texts)].sort((a, b) => b.length - a.length);
  ofSettings =
    longestFirst.length > 0
      ? new RegExp(longestFirst.map((text) => text.replace(/[.*+?^${}()|[\]\\/-]/g, '\\$&')).join('|'), 'g')
      : undefined;
}

/** For what is decrypted or newly issued: users' tokens and keys, of any shape. */
export function rememberToken(secret: string): void {
  if (!TOKEN.test(secret)) return;
  for (const [word] of secret.matchAll(WORD)) {
    inUse.delete(word);
    inUse.add(word);
  }
  for (const oldest of inUse) {
    if (inUse.size <= REMEMBERED) break;
    inUse.delete(oldest);
  }
}

/** The text, or the line of JSON, without secrets: those of the settings, those in use, and whatever has the shape of one. */
export function redacted(text: string, censor = '[redacted]'): string {
  let clean = text.replace(MEMBERS, (_, name: string) => `"${name}":"${censor}"`);
  if (ofSettings) clean = clean.replace(ofSettings, censor);
  if (inUse.size > 0) clean = clean.replace(WORD, (word) => (inUse.has(word) ? censor : word));
  for (const shape of SHAPES) clean = clean.replace(shape, censor);
  return clean;
}
