// @ts-check
/** What a parent keeps, and its children ask it for over their IPC channels: how programs share something without this package. */

/** @typedef {import('./contender.mjs').NodeSides} NodeSides */
/** @typedef {import('./contender.mjs').Role} Role */
/** @typedef {import('./contender.mjs').Side} Side */
/** @typedef {import('./contender.mjs').SideContext} SideContext */

/** Something in JSON. @typedef {string | number | number[] | { [key: string]: Message }} Message */

/**
 * The parent's: takes a message of one child; `answer` is called for each that is a question, now or later.
 * @callback Keep
 * @param {Record<string, Message>} message
 * @param {(answer: Message) => void} answer
 * @returns {void}
 */

/**
 * The child's way to the parent, for one question at a time.
 * @typedef {object} Parent
 * @property {(question: Message) => Promise<any>} ask
 * @property {(statement: Message) => void} tell wants no answer, and comes before the next question
 */

/**
 * @param {() => Keep} createKeep
 * @param {Partial<Record<Role, (parent: Parent, context: SideContext) => Side>>} children
 * @returns {NodeSides}
 */
export function askedParent(createKeep, children) {
  const roles = /** @type {Role[]} */ (Object.keys(children));
  return {
    launch: ['keeper'],
    roles: {
      keeper: (context) => keeper(context, createKeep(), roles),
      ...Object.fromEntries(
        Object.entries(children).map(([role, child]) => [
          role,
          (/** @type {SideContext} */ context) => child(toParent(), context),
        ]),
      ),
    },
  };
}

/**
 * @param {SideContext} context
 * @param {Keep} keep
 * @param {readonly Role[]} roles of its children
 * @returns {Promise<Side>}
 */
async function keeper({ startPeer }, keep, roles) {
  /** @type {import('./side-process.mjs').SideProcess[]} */
  const peers = [];
  for (const role of roles) {
    const peer = await startPeer(role, 'json');
    peer.child.on('message', (message) => {
      keep(/** @type {Record<string, Message>} */ (message), (answer) => peer.child.send(answer));
    });
    peers.push(peer);
  }
  return {
    run: async (count) => (await Promise.all(peers.map((peer) => peer.run(count)))).flat(),
    async close() {
      await Promise.all(peers.map((peer) => peer.stop()));
    },
  };
}

/** @returns {Parent} */
function toParent() {
  /** @type {(answer: unknown) => void} */
  let onAnswer = () => {};
  process.on('message', (answer) => onAnswer(answer));
  return {
    ask: (question) =>
      new Promise((resolve) => {
        onAnswer = resolve;
        process.send?.(question);
      }),
    tell: (statement) => {
      process.send?.(statement);
    },
  };
}
