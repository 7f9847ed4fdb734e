/** Turns of this thread's event loop: what was read in one of them is news until it ends. */

let turn = 0;
let isCounting = false;

/** Two calls return the same exactly if no turn has ended between them. */
export function thisTurn(): number {
  if (!isCounting) {
    isCounting = true;
    setImmediate(() => {
      isCounting = false;
      turn++;
    });
  }
  return turn;
}
