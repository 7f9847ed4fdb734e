import { describeLocks } from './locks.conformance.js';
import { memoryLockSubject } from './memory-lock-subject.js';

describeLocks('the plain backend of the tests', memoryLockSubject);
