/** One label of a host name; `xn--` would let letters of other alphabets pass for these. */
const LABEL = /^(?!xn--)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

/** Whether a host is one of those that a pattern means: `*` is one label. */
export function hostMatches(host: string, pattern: string): boolean {
  const labels = host.split('.');
  const wanted = pattern.split('.');
  return labels.length === wanted.length && labels.every((label, at) => LABEL.test(label) && (wanted[at] === '*' || wanted[at] === label));
}
