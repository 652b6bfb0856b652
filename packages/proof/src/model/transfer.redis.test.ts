/** Histories of entities that cross, always the same ones. */
import { proveInTests } from './proof-suite.ts';
import { transferSuite } from './transfer-suite.ts';

/** Each is a hundred round trips of whole pods; `npm run prove` plays more of them. */
const SEQUENCES = 400;

proveInTests(transferSuite, SEQUENCES);
