/** Two thousand histories of entities that cross between whole pods, always the same ones. */
import { proveInTests } from './proof-suite.ts';
import { transferSuite } from './transfer-suite.ts';

proveInTests(transferSuite);
