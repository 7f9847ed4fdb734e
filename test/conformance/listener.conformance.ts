/** What a backend with listeners is: it passes this suite. */

import { describe } from 'vitest';

import { accepting } from './listener-accepting.js';
import { authentication } from './listener-authentication.js';
import type { ListenerSubject } from './listener-subject.js';

export function describeListener(label: string, backend: () => ListenerSubject): void {
  describe(`Listener on ${label}`, () => {
    const subject = backend();
    accepting(subject);
    authentication(subject);
  });
}
