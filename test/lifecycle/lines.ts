/** The lines between clients and brokers: those of this system, and those of systems where Node gives no descriptors. */
export const LINES = ['by descriptors', 'relayed'] as const;

/** For this process, and all that it starts from now on. */
export function useLine(line: (typeof LINES)[number]): void {
  if (line === 'relayed') process.env['INTERPROC_SOCKET_LINE'] = 'relay';
  else delete process.env['INTERPROC_SOCKET_LINE'];
}
