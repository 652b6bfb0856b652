/**
 * Histories of entities that cross between whole pods, always the same ones. Each takes as long as ten
 * of another suite; `npm run prove -- --suite transfer --sequences N` runs any number.
 */
import { proveInTests } from './proof-suite.ts';
import { transferSuite } from './transfer-suite.ts';

proveInTests(transferSuite, 700);
