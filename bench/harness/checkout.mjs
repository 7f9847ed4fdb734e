// @ts-check
import { fileURLToPath } from 'node:url';

/** The root of the repository, with a slash at its end. */
export const CHECKOUT = fileURLToPath(new URL('../../', import.meta.url));

/**
 * What is said of a failure, without where this checkout lies: summaries are published.
 * @param {string} text
 */
export function withoutCheckout(text) {
  return text.replaceAll(new URL('../../', import.meta.url).href, '').replaceAll(CHECKOUT, '');
}
