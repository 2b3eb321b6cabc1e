// Preloaded by `node --import`: the wall clock of this process stands at the time that WCC_TEST_NOW names when it
// starts, and runs from there. Monotonic clocks and times of files stay as they are.
const RealDate = globalThis.Date;
const shiftMs = RealDate.parse(process.env.WCC_TEST_NOW ?? '') - RealDate.now();
if (Number.isNaN(shiftMs)) throw new Error('WCC_TEST_NOW is not a time');

globalThis.Date = class extends RealDate {
  constructor(...parts) {
    if (parts.length === 0) super(RealDate.now() + shiftMs);
    else super(...parts);
  }

  static now() {
    return RealDate.now() + shiftMs;
  }
};
