import type { NameKeeper } from '../brokered/hub/catalogue.js';

/** Where a broker is found, which one only has in a directory at a time, and what it keeps there. */
export interface BrokerPlace {
  /** Whether it still is this broker's: another may have it, or the directory be gone. */
  readonly isTaken: boolean;
  /** Who sees to it that its names are nobody else's; undefined: nobody else gives any. */
  readonly names?: NameKeeper;
  /** For files of its states and journals; undefined: there are none. */
  readonly stateDirectory?: string;
  /** The broker serves now. `isThere`: whether there is an object of that name. Sweeps what others left. */
  begin(isThere: (name: string) => boolean): Promise<void>;
  /** Nobody is to find it any more. `names`: of the objects that it still has. */
  leave(names: readonly string[]): void;
}
