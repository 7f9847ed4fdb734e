import { directLockSubject } from './direct-lock-subject.js';
import { describeLocks } from './locks.conformance.js';

describeLocks('a hub in the same thread', directLockSubject);
