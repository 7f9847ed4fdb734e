/** What the compiler knows about lists. Checked by `npm run types`, never run. */

import { Queue, ShareableList } from 'interproc';
import type { ShareableValue } from 'interproc';
import { same } from './same.js';

type Element = number | bigint | boolean | string | Uint8Array | null;

export async function lists(other: readonly Element[]): Promise<void> {
  const list = new ShareableList([1, 2n, true, 'four', new Uint8Array(5), null]);
  same<typeof list, ShareableList>();
  same<ShareableValue, Element>();
  const copy: ShareableList = ShareableList.create('a', list, { persist: true });
  ShareableList.openOrCreate('a', new Set(other));
  const opened = await ShareableList.openWhenAvailable('a', { timeoutMs: 1 });
  same<typeof opened, ShareableList>();
  ShareableList.open('a')[0] = 'one';
  const element = copy.get(0);
  same<typeof element, Element>();
  const maybe = copy[0];
  same<typeof maybe, Element | undefined>();
  copy.set(-1, null);
  for (const value of list) same<typeof value, Element>();
  const values = list.toArray();
  same<typeof values, Element[]>();
  const counts: number = list.count('four') + list.indexOf(null) + list.length;
  const format: string = list.format;
  void counts;
  void format;
  new Queue<ShareableList>().putNowait(list.ref().unref());

  // @ts-expect-error what it is made of is no option
  void new ShareableList();
  // @ts-expect-error a list of lists is none
  void new ShareableList([[1]]);
  // @ts-expect-error a Date is no element
  list.set(0, new Date());
  // @ts-expect-error its length is fixed
  list.length = 7;
  // @ts-expect-error no handle is made of a state by users
  void new ShareableList({ state: 1, slots: 2 });
}
