// Preloaded by `node --import`. Sets the wall clock of the starting process to WCC_TEST_NOW. Monotonic clocks and
// file times do not change.
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
