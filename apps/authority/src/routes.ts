/** `GET /plan`, `GET /journal` and `GET /scale`, as JSON. */
import fastifyRateLimit from '@fastify/rate-limit';
import type { Authority } from '@leasehold/authority';
import type { PlanStore } from '@leasehold/protocol';
import type { FastifyInstance } from 'fastify';

export type RouteParts = {
  readonly store: Pick<PlanStore, 'plan' | 'journal'>;
  readonly authority: Authority;
};

const REQUESTS_PER_S = 20;
const ENTRIES_MAX = 1_000;

const JOURNAL_QUESTION = {
  type: 'object',
  additionalProperties: false,
  properties: {
    after: { type: 'string', pattern: '^(\\d{1,16}-\\d{1,16})?$' },
    count: { type: 'string', pattern: '^[1-9]\\d{0,3}$' },
  },
} as const;

type JournalQuestion = { readonly after?: string; readonly count?: string };

export async function addRoutes(
  app: FastifyInstance,
  { store, authority }: RouteParts,
): Promise<void> {
  await app.register(fastifyRateLimit, { max: REQUESTS_PER_S, timeWindow: 1_000 });
  app.get('/plan', async (_request, reply) => {
    const plan = await store.plan();
    if (plan !== undefined) return plan;
    return reply
      .code(404)
      .send({ message: 'there is no plan yet', remedy: 'Ask again in a second.' });
  });
  app.get<{ Querystring: JournalQuestion }>(
    '/journal',
    { schema: { querystring: JOURNAL_QUESTION } },
    async ({ query }) => {
      const count = Math.min(ENTRIES_MAX, Number(query.count ?? 100));
      return { entries: await store.journal(query.after ?? '', count) };
    },
  );
  app.get('/scale', async (_request, reply) => {
    const { isLeading, leader, wanted, pods } = authority.status;
    if (!isLeading || wanted === undefined) {
      const message = leader === '' ? 'nobody leads' : `ask ${leader}: it leads`;
      return reply.code(503).send({ message, remedy: 'Ask the one that leads.', leader });
    }
    const { pods: podsWanted, raw, utilization, why } = wanted;
    return { podsWanted, undamped: raw, utilization, why, pods: pods.length };
  });
}
