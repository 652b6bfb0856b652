export { LiveWorldAdmin, openWorldAdmin, type WorldAdminOptions } from './admin.ts';
export { LIBRARY, librarySource } from './library.ts';
export type { Traffic } from './link.ts';
export {
  GRACE_MS_DEFAULT,
  LiveStore,
  type LiveStoreOptions,
  openLiveStore,
  type StoreEvent,
} from './live-store.ts';
