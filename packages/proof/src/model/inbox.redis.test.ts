/** Two thousand histories, always the same ones. */
import { inboxSuite } from './inbox-suite.ts';
import { proveInTests } from './proof-suite.ts';

proveInTests(inboxSuite);
