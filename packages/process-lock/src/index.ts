export { type LockLimits, underLock } from './process-lock.ts';
