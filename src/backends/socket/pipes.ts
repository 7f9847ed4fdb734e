/**
 * Whether brokers and clients meet as on Windows: there Node gives no descriptor of a socket, so that a thread that blocks needs
 * another one to speak for it (relay-line.ts), and a socket is a named pipe, which has no place in a directory (pipe-place.ts).
 * Elsewhere INTERPROC_SOCKET_LINE=relay has it so too, for tests on Linux; a broker has it from who starts it.
 */
export function usesPipes(): boolean {
  return process.platform === 'win32' || process.env[LINE_VARIABLE] === 'relay';
}

export const LINE_VARIABLE = 'INTERPROC_SOCKET_LINE';
