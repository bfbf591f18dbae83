let offsetMs = 0;
const RealDate = Date;

/** Lets the time that this process sees jump, for `Date` and what is built on it. */
export function moveClock(ms) {
  if (offsetMs === 0) install();
  offsetMs += ms;
}

function install() {
  globalThis.Date = class extends RealDate {
    constructor(...parts) {
      super(...(parts.length === 0 ? [RealDate.now() + offsetMs] : parts));
    }

    static now() {
      return RealDate.now() + offsetMs;
    }
  };
}
