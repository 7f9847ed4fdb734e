// @ts-check

/** @type {import('../harness/contender.mjs').Contender} */
export default {
  name: 'fifo-epoll-bare',
  what: 'two C++ processes that wait for each other in epoll_wait, on named FIFOs',
  patterns: { roundTrip: { program: 'fifo_ping_pong' } },
};
