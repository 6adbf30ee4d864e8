import { IntegrationError } from '../../../errors';
import { hostMatches } from '../host-pattern';

export type Values = Readonly<Record<string, unknown>>;

const PLACE = /\{(\w+)\}/g;

export const isTemplate = (address: string): boolean => /\{\w+\}/.test(address);

/** Whether there is a text for each place. */
export function isFilledBy(template: string, values: Values): boolean {
  return [...template.matchAll(PLACE)].every(([, name = '']) => Object.hasOwn(values, name) && typeof values[name] === 'string');
}

/** A text with its places filled in, as they are. @throws IntegrationError where a value is missing */
export function filled(template: string, values: Values): string {
  return template.replace(PLACE, (_, name: string) => valueOf(values, name));
}

/** JSON with the places in its texts filled in. @throws IntegrationError where a value is missing */
export function filledJson(template: unknown, values: Values): unknown {
  if (typeof template === 'string') return filled(template, values);
  if (Array.isArray(template)) return template.map((each) => filledJson(each, values));
  if (typeof template !== 'object' || template === null) return template;
  return Object.fromEntries(Object.entries(template).map(([name, each]) => [name, filledJson(each, values)]));
}

/**
 * An address with its places filled in, when it leads to one of these hosts and to nothing else.
 * In the path a value is encoded; in the host it must make a label; an address that is a value whole (`{instance}/v1/`) is one that the provider told.
 * @throws IntegrationError `destination_refused`: another host, a port, a user, `..`, punycode, a scheme other than https
 */
export function filledAddress(template: string, values: Values, hosts: readonly string[]): string {
  if (!isTemplate(template)) return template;
  const whole = /^\{(\w+)\}(.*)$/.exec(template);
  if (whole?.[1] !== undefined) return joined(originIn(valueOf(values, whole[1]), hosts), whole[2] ?? '', values);
  const [, authority = '', path = ''] = /^https:\/\/([^/]+)(.*)$/.exec(template) ?? [];
  if (!isTemplate(authority)) return joined(`https://${authority}`, path, values);
  const host = authority.replace(PLACE, (_, name: string) => {
    const value = valueOf(values, name);
    // A place is one label, or its piece: whoever fills it in chooses no other domain.
    if (!/^[a-z0-9-]{1,63}$/i.test(value)) throw refused();
    return value.toLowerCase();
  });
  return joined(originIn(`https://${host}`, hosts), path, values);
}

/** An address that an operator set in place of the provider's own: only its path may have places. */
export function filledOverride(template: string, values: Values): string {
  return isTemplate(template) ? joined(new URL(template).origin, template.slice(new URL(template).origin.length), values) : template;
}

function joined(origin: string, path: string, values: Values): string {
  const address = `${origin}${path.replace(PLACE, (_, name: string) => segment(valueOf(values, name)))}`;
  // The parser has the last word.
  if (!URL.canParse(address) || new URL(address).origin !== origin) throw refused();
  return address;
}

function segment(value: string): string {
  if (value === '.' || value === '..') throw refused();
  return encodeURIComponent(value);
}

/** The origin of a text that is one and no more, where its host is allowed. */
function originIn(text: string, hosts: readonly string[]): string {
  const [, host] = /^https:\/\/([a-z0-9.-]+)\/?$/i.exec(text) ?? [];
  if (host === undefined || !hosts.some((pattern) => hostMatches(host.toLowerCase(), pattern))) throw refused();
  return `https://${host.toLowerCase()}`;
}

function valueOf(values: Values, name: string): string {
  const value = Object.hasOwn(values, name) ? values[name] : undefined;
  if (typeof value !== 'string' || value === '') throw refused();
  return value;
}

function refused(): IntegrationError {
  return new IntegrationError('destination_refused', {
    notExecuted: true,
    detail: 'What was given does not lead to an address of this provider.',
    nextStep: 'Check what was filled in.',
  });
}
