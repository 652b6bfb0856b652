/** Two thousand histories, always the same ones. */
import { proveInTests } from './proof-suite.ts';
import { transferSuite } from './transfer-suite.ts';

proveInTests(transferSuite);
