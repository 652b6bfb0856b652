export { type HubCounts, type HubParts, type ViewFacts, ViewHub } from './hub.ts';
export { VIEW_LIMITS, type ViewLimits } from './limits.ts';
export type { NearestQuery } from './nearest.ts';
export type { Found, FoundEntity } from './search.ts';
export type { Peer, Viewer } from './viewer.ts';
