// @ts-check

/**
 * Three significant digits, or two of very small numbers; no exponent.
 * @param {number} value
 */
function short(value) {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(value < 0.01 ? 2 : 3);
}

/** @param {number} perSecond */
export function formatMessageRate(perSecond) {
  return perSecond >= 1e6 ? `${short(perSecond / 1e6)} M/s` : `${short(perSecond / 1e3)} k/s`;
}

/** @param {number} bytesPerSecond */
export function formatByteRate(bytesPerSecond) {
  return `${short(bytesPerSecond / 2 ** 30)} GiB/s`;
}

/** @param {number} microseconds */
export function formatMicroseconds(microseconds) {
  return `${short(microseconds)} us`;
}

/** @param {number} nanoseconds */
export function formatNanoseconds(nanoseconds) {
  return `${short(nanoseconds)} ns`;
}

/** @param {number} bytes */
export function formatBytes(bytes) {
  return Number.isNaN(bytes) ? '-' : `${short(bytes / 1024)} KiB`;
}

/** @param {number} percent */
export function formatPercent(percent) {
  return `${percent.toFixed(2)} %`;
}

/** @param {number} perSecond */
export function formatPerSecond(perSecond) {
  return `${short(perSecond)} /s`;
}

/** @param {number} ratio */
export function formatRatio(ratio) {
  return ratio < 1 ? `${short(ratio * 100)} %` : `${short(ratio)}x`;
}
