/**
 * What a git host calls after a push. Nobody knows the API's token there: whoever calls must have
 * signed what it sends, and nothing is believed of that but who sent it.
 */
import { LeaseholdError } from '@leasehold/kernel';
import { prefabWebhook } from '@leasehold/prefabs';
import type { FastifyInstance } from 'fastify';
import { type AccessRules, checkAddress } from './access.ts';
import type { ApiRoutes, App } from './api.ts';
import { bodyProblems, PUSH_BODY, PUSH_TAKEN, WEBHOOK_HEADERS, WORLD_PARAMS } from './shapes.ts';

/** A push of some hundred commits; of a bigger one the next look at the repository knows. */
const PUSH_BYTES_MAX = 1024 * 1024;

/** In a scope of its own: here a body is the bytes that came, whatever they are said to be. */
export function addWebhookRoute(
  scope: FastifyInstance,
  { worlds, prefabs, following }: ApiRoutes,
  { rules, secret }: { readonly rules: AccessRules; readonly secret: string },
): void {
  const app = scope as unknown as App;
  app.addHook('onRequest', async ({ headers: { host, origin } }) => {
    checkAddress({ host, origin }, rules);
  });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  const schema = {
    ...{ tags: ['prefabs'], operationId: 'pushPrefabs', params: WORLD_PARAMS },
    ...{ headers: WEBHOOK_HEADERS, body: PUSH_BODY, security: [] },
    summary: 'What a git host calls after a push: the repository of prefabs is looked at.',
    response: { 202: PUSH_TAKEN, ...bodyProblems() },
  };
  const options = {
    ...{ schema, bodyLimit: PUSH_BYTES_MAX },
    // The signature decides before anything in the body is looked at.
    validatorCompiler: () => () => true,
  };
  app.post('/v1/worlds/:world/prefabs/webhook', options, async (request, reply) => {
    const { headers, method } = request;
    const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
    let isKnown = false;
    const poke = (): void => {
      isKnown = true;
    };
    if (secret !== '') prefabWebhook({ secret, poke })({ method, headers, body });
    if (!isKnown) throw refused(secret);
    const { world } = request.params as { readonly world: string };
    const open = await worlds.open(world);
    await prefabs.version(open);
    following.poke(open);
    return reply.code(202).send({ world });
  });
}

function refused(secret: string): LeaseholdError {
  const isClosed = secret === '';
  const message = isClosed
    ? 'nobody may call the webhook: the service has no secret'
    : 'neither X-Hub-Signature-256 nor X-Gitlab-Token is right';
  return new LeaseholdError('TOKEN_REFUSED', message, {
    field: isClosed ? 'WEBHOOK_SECRET' : 'X-Hub-Signature-256',
    value: 'not shown',
    remedy: isClosed
      ? 'Start it with WEBHOOK_SECRET, and give the git host the same.'
      : 'Give the git host the secret that the service was started with as WEBHOOK_SECRET.',
  });
}
