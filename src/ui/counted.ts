/** A number as people read it. */
export function count(value: number): string {
  return value.toLocaleString('en');
}

/** A number of things: "1 time", "1,234 times". */
export function counted(value: number, what: string): string {
  return `${count(value)} ${what}${value === 1 ? '' : 's'}`;
}
