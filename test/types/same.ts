/** Proofs that two types are the same one, and not only assignable to each other. */

type Same<A, B> =
  (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

export function same<A, B>(
  ..._proof: Same<A, B> extends true ? [] : ['these types differ']
): void {}
