/** What every route of the API is given. */
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { Log } from '@leasehold/service';
import type {
  FastifyBaseLogger,
  FastifyInstance,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
} from 'fastify';
import type { Jobs } from './jobs.ts';
import type { PrefabFollowing } from './prefab-following.ts';
import type { Prefabs } from './prefabs.ts';
import type { SnapshotDatabase } from './snapshot-database.ts';
import type { SnapshotJobs } from './snapshot-jobs.ts';
import type { Worlds } from './worlds.ts';

/** A server whose handlers know the types of what was validated. */
export type App = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>;

export type ApiRoutes = {
  readonly worlds: Worlds;
  readonly jobs: Jobs;
  readonly database: SnapshotDatabase;
  readonly snapshotJobs: SnapshotJobs;
  readonly prefabs: Prefabs;
  readonly following: PrefabFollowing;
  readonly log: Log;
};
