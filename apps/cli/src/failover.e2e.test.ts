/**
 * L5, durability: the primary dies under load while its replica is cut off and behind, all pods live,
 * and the replica is promoted. What any pod was told is committed must be in the history that goes on.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { canStartRedis, eventually, openProxy, startRedis } from '@leasehold/testkit';
import { describe, expect, onTestFinished, test } from 'vitest';
import { FLOCKING, User } from './command-fixture.ts';
import { Recorder } from './recorder-fixture.ts';

/** All cells of examples/flocking: 8 by 8, blocks of 2 by 2. */
const FLOCK = { world: 'flocking', incarnation: 1, columns: 8, rows: 8, blockCells: 2 };

describe.skipIf(!canStartRedis())('a failover (needs a redis-server program)', () => {
  test('L5 loses no tick that was committed, though the promoted replica lacks the last ones', async () => {
    // Every acknowledged write is on disk: the dead primary can be asked what it had acknowledged.
    const primary = await startRedis({ args: ['--appendfsync', 'always'] });
    const line = await openProxy({ target: primary.port });
    const replica = await startRedis({ replicaOf: line.port });
    const front = await openProxy({ target: primary.port });
    const user = await User.open({ REDIS_URL: front.url });
    const old = new Recorder(primary.url, FLOCK);
    const next = new Recorder(replica.url, FLOCK);
    onTestFinished(async () => {
      for (const recorder of [old, next]) recorder.close();
      for (const each of [front, line, user]) await each.close();
      for (const server of [primary, replica]) await server.stop();
    });
    await eventually(() => old.hasReplica(), 20_000);

    const run = user.leasehold(['run', FLOCKING, '--pods', '2', '--seconds', '14', '--json']);
    await eventually(async () => (await old.record()) > 0, 30_000);
    const recording = Promise.all([old.start(), next.start()]);
    // Time runs, and what pods hand over to each other at the start has come to rest.
    await eventually(() => old.tick > 60, 30_000);
    const holders = await old.epochs();

    line.delay(50);
    await sleep(1_000);
    line.blackhole();
    await sleep(1_500);
    await primary.kill();
    await sleep(300);
    await next.promote();
    const tickAtPromotion = next.tick;
    front.retarget(replica.port);
    await eventually(() => next.tick > old.tick + 40, 20_000);
    expect(await next.epochs()).toEqual(holders);
    const { code, report } = await user.ended(run);

    old.stop();
    next.stop();
    await recording;
    const dead = await primary.restart();
    const truth = new Recorder(dead.url, FLOCK);
    onTestFinished(async () => {
      truth.close();
      await dead.stop();
    });
    await truth.record();
    truth.add(old);
    await next.record();
    const missing = truth.notIn(next);
    const behind = old.tick - tickAtPromotion;
    process.stderr.write(
      `failover: ${truth.size} entries committed before, ${behind} ticks not replicated, ` +
        `${missing.length} missing, ${report.auditor.healedCells} cells healed\n`,
    );
    // Else nothing was proven: the replica must have been behind by more than the delay.
    expect(behind).toBeGreaterThan(10);
    expect(missing).toEqual([]);
    expect(report).toMatchObject({ lost: 0, duplicated: 0, violations: [], frozenCells: 0 });
    expect(report.takeovers.filter(({ cause }) => cause !== 'handover')).toEqual([]);
    expect(report.auditor).toMatchObject({ isAtRest: true, rewrittenCells: 0 });
    expect(report.entitiesEnd).toBe(report.entitiesStart);
    expect([code, report.reasons]).toEqual([0, []]);
  }, 120_000);
});
