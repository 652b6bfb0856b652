/**
 * Who may use a process over HTTP: which hosts it answers to, which pages, and who knows a secret.
 * Everything here is decided from a request's own facts, so it is pure.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { LeaseholdError } from '@leasehold/kernel';

const LOOPBACK_NAMES: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]']);
const VALUE_SHOWN_MAX = 100;

/** The host of a `Host` header without its port, in lower case; undefined where it is none. */
function hostName(host: string | undefined): string | undefined {
  if (host === undefined || !/^[\w.-]+(:\d{1,5})?$|^\[[\da-f:.]+\](:\d{1,5})?$/i.test(host)) {
    return undefined;
  }
  return host.replace(/:\d{1,5}$/, '').toLowerCase();
}

/** Whether a `Host` header names this machine, as seen from itself. */
export function isLoopbackHost(host: string | undefined): boolean {
  return LOOPBACK_NAMES.has(hostName(host) ?? '');
}

/** Whether a listening or remote address can only be reached from this machine. */
export function isLoopbackAddress(address: string): boolean {
  return /^(::ffff:)?127\.\d+\.\d+\.\d+$/.test(address) || /^(::1|localhost)$/.test(address);
}

const NET_GROUPS = 4;

/**
 * Whose connections and questions are counted together: an IPv4 address however the kernel wrote
 * it, and of IPv6 the net of 64 bits, of which whoever has one address has all.
 */
export function addressOf(remote: string): string {
  const address = remote.replace(/^::ffff:(?=[\d.]+$)/i, '');
  if (!address.includes(':')) return address;
  const [head = '', tail] = address.replace(/%.*$/, '').split('::');
  const groups = head === '' ? [] : head.split(':');
  if (tail !== undefined) {
    const known = groups.length + (tail === '' ? 0 : tail.split(':').length);
    groups.push(...Array<string>(Math.max(0, 8 - known)).fill('0'), ...tail.split(':'));
  }
  const net = groups.slice(0, NET_GROUPS).map((group) => Number.parseInt(group, 16).toString(16));
  return `${net.join(':')}::/64`;
}

/** Whether a page's origin is the host that was asked: nobody but a browser sends an origin. */
export function isSameOrigin(origin: string | undefined, host: string | undefined): boolean {
  if (origin === undefined) return true;
  if (hostName(host) === undefined || !URL.canParse(origin)) return false;
  const { protocol, host: page } = new URL(origin);
  if (protocol !== 'http:' && protocol !== 'https:') return false;
  const own = `${protocol}//${host}`;
  // The scheme decides which port goes without saying.
  return URL.canParse(own) && new URL(own).host === page;
}

/**
 * A page elsewhere can make a name of its own point to 127.0.0.1, and would then be of the same
 * origin as this process; only the `Host` header tells. Throws `ORIGIN_REFUSED`.
 */
export function checkHost(host: string | undefined): void {
  if (isLoopbackHost(host)) return;
  throw new LeaseholdError('ORIGIN_REFUSED', 'this process answers to its own machine only', {
    field: 'Host',
    value: shown(host),
    remedy: 'Open it as localhost or 127.0.0.1, or set HOST to an address of the network.',
  });
}

/** Throws `ORIGIN_REFUSED` for a page that is neither the process's own nor allowed. */
export function checkOrigin(
  origin: string | undefined,
  host: string | undefined,
  allowed: ReadonlySet<string>,
): void {
  if (isSameOrigin(origin, host) || allowed.has(origin ?? '')) return;
  throw new LeaseholdError('ORIGIN_REFUSED', 'pages of this origin may not use this process', {
    field: 'Origin',
    value: shown(origin),
    remedy: 'Add the origin to ALLOWED_ORIGINS, or serve the page from here.',
  });
}

/** Takes the same time wherever the texts differ: hashes of equal length are compared. */
export function isSameSecret(a: string, b: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}

function shown(value: string | undefined): string {
  return value === undefined ? 'nothing' : value.slice(0, VALUE_SHOWN_MAX);
}
