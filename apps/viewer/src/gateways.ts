/**
 * What the address of the page says: which gateways to ask and, after `#token=`, the token that
 * permits killing pods. The token stays in memory and in the fragment, which is sent to nobody.
 */
type Place = { readonly protocol: string; readonly host: string; readonly pathname: string };

/** The page's own gateway, or those of `?gateway=ws://a/view,ws://b/view`. */
export function gatewaysOf(place: Place & { readonly search: string }): string[] {
  const named = new URLSearchParams(place.search)
    .getAll('gateway')
    .flatMap((list) => list.split(','))
    .filter((url) => /^wss?:\/\/./.test(url));
  if (named.length > 0) return named;
  const folder = place.pathname.replace(/[^/]*$/, '');
  return [`${place.protocol === 'https:' ? 'wss:' : 'ws:'}//${place.host}${folder}view`];
}

/** '' where there is none. */
export function tokenOf(hash: string): string {
  return new URLSearchParams(hash.replace(/^#/, '')).get('token') ?? '';
}
