/** Two thousand histories of entities that cross between whole pods, always the same ones. */
import { proveInTests } from './proof-suite.ts';
import { transferSuite } from './transfer-suite.ts';

/** Each takes ten times as long as one of another suite; `npm run prove` runs any number. */
proveInTests(transferSuite, 700);
