/** `npm test` must end within 30 minutes, so some tests run a share of their cases. `npm run test:all` runs all. */
export const isLongRun: boolean = process.env['WCC_CASES'] === 'all';

/** Every case in a long run, else `count` of them at even distances, the first and the last included. */
export function shareOf<Case>(cases: readonly Case[], count: number): readonly Case[] {
  if (isLongRun || count >= cases.length) return cases;
  return Array.from(
    { length: count },
    (_, index) => cases[Math.round((index * (cases.length - 1)) / Math.max(1, count - 1))]!,
  );
}

/** Every case in a long run, else every second case. Two drivers with different `offset` cover all cases together. */
export function everySecond<Case>(cases: readonly Case[], offset: 0 | 1): readonly Case[] {
  return isLongRun ? cases : cases.filter((_, index) => index % 2 === offset);
}
