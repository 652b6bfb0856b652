/** Worlds: which there are, what they are made of, and their time. */
import { tickAt, type WorldClock } from '@leasehold/protocol';
import { systemClock } from '@leasehold/service';
import {
  knownWorlds,
  pauseWorld,
  resumeWorld,
  stepWorld,
  type TimedWorld,
  timeOf,
} from '@leasehold/world';
import type { ApiRoutes, App } from './api.ts';
import { bodyProblems, problems, STEP_BODY, TIME, WORLD, WORLD_PARAMS, WORLDS } from './shapes.ts';
import type { OpenLayer, OpenWorld } from './worlds.ts';

/** Below the time after which a connection that is silent is closed; it goes on behind it. */
const ANSWER_MS_MAX = 8_000;
const tags = ['worlds'];

export function addWorldsRoute(app: App, { worlds }: ApiRoutes): void {
  const schema = {
    ...{ tags, operationId: 'listWorlds', summary: 'The worlds of the registry.' },
    response: { 200: WORLDS, ...problems() },
  };
  app.get('/v1/worlds', { schema }, async () => {
    const known = await knownWorlds(worlds.registry);
    return {
      worlds: known.map(({ world, incarnation, grid }) => ({
        ...{ world, incarnation, cells: grid.cells },
      })),
    };
  });
}

/** Under the prefix of a world. */
export function addWorldRoutes(app: App, routes: ApiRoutes): void {
  const { worlds } = routes;
  const schema = {
    ...{ tags, operationId: 'readWorld', params: WORLD_PARAMS },
    summary: 'A world: its space, its components, its pods and its time.',
    response: { 200: WORLD, ...problems() },
  };
  app.get('', { schema }, async (request) => factsOf(await worlds.open(request.params.world)));
  addTime(app, routes);
}

function addTime(app: App, { worlds, log }: ApiRoutes): void {
  const of = (operationId: string, summary: string) => ({
    ...{ tags, operationId, summary, params: WORLD_PARAMS },
    response: { 200: TIME, 202: TIME, ...bodyProblems() },
  });
  const told = async (open: OpenWorld, work: Promise<WorldClock>) => {
    const done = work.then((clock) => ({ clock, isSteady: true }));
    // Whoever asked may have gone when it fails.
    done.catch((error: unknown) =>
      log.warn({ err: error, world: open.world }, 'the time of a world'),
    );
    const late = systemClock
      .sleep(ANSWER_MS_MAX)
      .then(async () => ({ clock: await timeOf(timed(open)), isSteady: false }));
    late.catch(() => undefined);
    const { clock, isSteady } = await Promise.race([done, late]);
    const { world } = open;
    const tick = tickAt(clock, open.layers[0].store.nowMs());
    const { rateHz, isPaused } = clock;
    return { world, tick, rateHz, isPaused, isSteady };
  };
  const pause = of('pauseWorld', 'Stops the time of a world, in all cells at one tick.');
  app.post('/pause', { schema: pause }, async (request, reply) => {
    const open = await worlds.open(request.params.world);
    const time = await told(
      open,
      pauseWorld(timed(open)).then(({ clock }) => clock),
    );
    return reply.code(time.isSteady ? 200 : 202).send(time);
  });
  const resume = of('resumeWorld', 'Lets the time of a world go on.');
  app.post('/resume', { schema: resume }, async (request) => {
    const open = await worlds.open(request.params.world);
    return told(
      open,
      resumeWorld(timed(open)).then(({ clock }) => clock),
    );
  });
  const step = { ...of('stepWorld', 'Advances a paused world by ticks.'), body: STEP_BODY };
  app.post('/step', { schema: step }, async (request, reply) => {
    const open = await worlds.open(request.params.world);
    const time = await told(open, stepWorld(timed(open), request.body.ticks));
    return reply.code(time.isSteady ? 200 : 202).send(time);
  });
}

function timed({ world, grid, layers: [{ store }, ...others] }: OpenWorld): TimedWorld {
  return { world, grid, store, otherStores: others.map((other) => other.store) };
}

async function factsOf({ world, incarnation, grid, layers }: OpenWorld) {
  const [{ store }] = layers;
  const [clock, facts] = await Promise.all([store.clock(), Promise.all(layers.map(layerFacts))]);
  return {
    ...{ world, incarnation, cells: grid.cells },
    pods: facts.reduce((sum, { pods }) => sum + pods, 0),
    layers: facts.map(({ entities: _, ...each }) => each),
    space: { ...grid.spec },
    // Every layer has a row for each of them.
    entities: facts[0]?.entities ?? 0,
    tick: clock === undefined ? null : tickAt(clock, store.nowMs()),
    rateHz: clock?.rateHz ?? null,
    isPaused: clock?.isPaused ?? false,
  };
}

async function layerFacts({ layer, own, store }: OpenLayer) {
  const records = await store.pods();
  const alive = await store.connected(records.map(({ pod }) => pod));
  const here = records.filter(({ pod }) => alive.has(pod));
  return {
    ...{ layer, components: [...own.components], pods: here.length },
    entities: here.reduce((sum, { report }) => sum + (report['entities'] ?? 0), 0),
  };
}
