/** A number as people read it; "5,000+" where no more was counted. */
export function count(value: number, andMore = false): string {
  return value.toLocaleString('en') + (andMore ? '+' : '');
}

/** A number of things: "1 time", "1,234 times". */
export function counted(value: number, what: string, andMore = false): string {
  return `${count(value, andMore)} ${what}${value === 1 ? '' : 's'}`;
}
