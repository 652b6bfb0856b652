/** Vitest global setup of the tests with processes: the page they load is the one of these sources. */
import { ensureViewer } from './viewer.mjs';

export default ensureViewer;
