/** Two thousand histories, always the same ones. */

import { proveInTests } from './proof-suite.ts';
import { viewSuite } from './view-suite.ts';

proveInTests(viewSuite);
