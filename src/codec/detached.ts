/** Whether the memory of a buffer was transferred away; to be asked about those that say they are empty. */
export function isDetached(buffer: ArrayBufferLike): boolean {
  try {
    void new Uint8Array(buffer);
    return false;
  } catch {
    return true;
  }
}
