/** The files of the page, and the headers that keep a browser from doing anything else with them. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

const VIEWER = fileURLToPath(new URL('../../viewer/dist', import.meta.url));
const BUILD = 'npm run build --workspace @leasehold/viewer';

const HEADERS: Readonly<Record<string, string>> = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'permissions-policy': 'camera=(), geolocation=(), microphone=(), payment=(), usb=()',
  'cross-origin-opener-policy': 'same-origin',
  'x-frame-options': 'DENY',
};

/** What the page may load. Not every browser takes 'self' to mean WebSockets too. */
export function contentPolicy(host: string | undefined): string {
  const own = /^[\w.:[\]-]+$/.test(host ?? '') ? ` ws://${host} wss://${host}` : '';
  return [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data: blob:",
    `connect-src 'self'${own}`,
    "font-src 'self'",
    "manifest-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
}

/** `folder` '' = where the viewer is built in this repository. */
export async function addViewerFiles(app: FastifyInstance, folder: string): Promise<void> {
  const root = folder === '' ? VIEWER : folder;
  app.addHook('onSend', async (request, reply) => {
    reply.headers(HEADERS);
    reply.header('content-security-policy', contentPolicy(request.headers.host));
  });
  await app.register(fastifyStatic, {
    root,
    index: false,
    dotfiles: 'deny',
    // What the build compressed is sent as it is.
    preCompressed: true,
    suppressWarning: true,
    cacheControl: false,
    setHeaders: (reply, path) => {
      reply.header('cache-control', path.startsWith(join(root, 'assets')) ? FOREVER : 'no-cache');
    },
  });
  const page = (_request: FastifyRequest, reply: FastifyReply) =>
    existsSync(join(root, 'index.html')) ? reply.sendFile('index.html') : notBuilt(reply);
  app.get('/', page);
  app.get('/index.html', page);
}

/** Names of assets contain a hash of what is in them. */
const FOREVER = 'public, max-age=31536000, immutable';

function notBuilt(reply: FastifyReply): FastifyReply {
  reply.code(503).type('text/plain; charset=utf-8').header('cache-control', 'no-store');
  return reply.send(
    `The page is not built yet. Build it with\n\n  ${BUILD}\n\nand load this address again.\n` +
      'Views (/view) and queries (/query) work without it.\n',
  );
}
