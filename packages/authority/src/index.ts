export { Authority, type AuthorityParts, type AuthorityStatus } from './authority.ts';
export { AUTHORITY_SETTINGS, type AuthoritySettings } from './settings.ts';
