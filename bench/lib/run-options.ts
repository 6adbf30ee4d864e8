/** `--quick`: fewer and shorter rounds, to see that a benchmark works. Its figures say little. */
export const QUICK = process.argv.includes('--quick');
export const ROUNDS = QUICK ? 2 : 5;
