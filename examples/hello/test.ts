import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testWorld } from '@leasehold/sdk';
import hello, { Balloon, Position } from './world.ts';

const space = { kind: 'torus', width: 100, height: 100, cell: 25 } as const;

test('a balloon is carried over the border of a cell, at 25, and goes on', async () => {
  const entities = [[Position({ x: 24, y: 50 }), Balloon({ lift: 2 })]];
  const world = await testWorld(hello, { space, entities, tickHz: 10 });
  const [balloon] = world.run(10).all(Position);
  assert.ok(Math.abs(balloon!.x - 28) < 1e-9);
  assert.equal(world.crossings, 1);
});

test('who is there at the start is there at the end', async () => {
  const world = await testWorld(hello, { space });
  assert.equal(world.run(100).all(Balloon).length, 200);
});
