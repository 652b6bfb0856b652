/**
 * `POST /pods/:pod/kill`. The gateway signals no process: it says on standard output who is to be
 * killed, and whoever started the pods does it, or nobody.
 */
import { checkName, LeaseholdError } from '@leasehold/kernel';
import type { FastifyInstance } from 'fastify';
import { checkKill } from './access.ts';

/** Nobody kills faster by hand. */
const KILLS_PER_S = 5;

export type KillOptions = {
  /** '' lets nobody in. */
  readonly token: string;
  /** Names of the pods that the store knows. */
  readonly pods: () => Promise<readonly string[]>;
  readonly say: (line: { readonly type: 'kill'; readonly pod: string }) => void;
};

export function addKillRoute(app: FastifyInstance, { token, pods, say }: KillOptions): void {
  const config = { rateLimit: { max: KILLS_PER_S, timeWindow: 1_000 } };
  app.post<{ Params: { pod: string } }>('/pods/:pod/kill', { config }, async (request, reply) => {
    const { host, origin, authorization } = request.headers;
    checkKill({ address: request.ip, host, origin, authorization }, token);
    const pod = checkName('pod', request.params.pod);
    if (!(await pods()).includes(pod)) {
      throw new LeaseholdError('POD_UNKNOWN', `no pod is called ${pod}`, {
        field: 'pod',
        value: pod,
        remedy: 'Take the name of a pod that the page shows.',
      });
    }
    say({ type: 'kill', pod });
    reply.code(202);
    return { pod };
  });
}
