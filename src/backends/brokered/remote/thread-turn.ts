/** Turns of this thread's event loop, as far as somebody asks. */

let turn = 0;
let isCounting = false;
let isAskedFor = false;

/** The same in one turn, one more in the next one, and at least two more later. */
export function thisTurn(): number {
  isAskedFor = true;
  if (!isCounting) {
    isCounting = true;
    setImmediate(count);
  }
  return turn;
}

/** One turn more than somebody asked in, so that the next is told from later ones. */
function count(): void {
  turn++;
  isCounting = isAskedFor;
  isAskedFor = false;
  if (isCounting) setImmediate(count);
}
