/** The same histories where neighbouring blocks are on different primaries of a cluster. */
import { inboxSuite } from './inbox-suite.ts';
import { logSuite } from './log-suite.ts';
import { proveInTests } from './proof-suite.ts';
import { transferSuite } from './transfer-suite.ts';
import { viewSuite } from './view-suite.ts';

/** Starting three servers takes as long as these. */
const SEQUENCES = 100;

for (const suite of [logSuite, viewSuite, inboxSuite, transferSuite]) {
  proveInTests(suite, SEQUENCES, true);
}
