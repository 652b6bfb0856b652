/** Two thousand histories of leases and logs, always the same ones. */

import { logSuite } from './log-suite.ts';
import { proveInTests } from './proof-suite.ts';

proveInTests(logSuite);
