/**
 * Goal: no mixture of faults breaks a promise: L1 to L4, E1, E2 at every commit, W1, V1 and T1 once
 * faults have stopped. Method: whole pods, gateways and clients in virtual time, a hundred seeds.
 */
import { expect, test } from 'vitest';
import { runSwarm } from './swarm.ts';

const SEEDS = 100;
const PARTS = 10;

test.each(Array.from({ length: PARTS }, (_, part) => 1 + (part * SEEDS) / PARTS))(
  'L1 L2 L3 L4 E1 E2 W1 V1 T1 hold whatever happens (ten seeds from %i)',
  async (from) => {
    const { failures } = await runSwarm({ from, seeds: SEEDS / PARTS });
    expect(failures).toEqual([]);
  },
);
