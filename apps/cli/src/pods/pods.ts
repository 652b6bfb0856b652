/** `leasehold pods`, `cordon` and `uncordon`: who simulates a world, and who is to take no more. */
import type { PodOrder } from '@leasehold/protocol';
import { type OpenWorld, type WorldFlags, withWorld } from '../known-world.ts';
import type { Output } from '../output.ts';
import { count } from '../text-table.ts';
import { podFacts, podLines } from './table.ts';

export function pods(flags: WorldFlags, output: Output): Promise<number> {
  return withWorld(flags, output, async (open) => {
    const { world, incarnation, layer, tickBudgetMs } = open;
    const { plan, facts } = await look(open);
    const version = plan?.version ?? null;
    output.json({ world, incarnation, layer, tickBudgetMs, plan: version, pods: facts });
    const planned = plan === undefined ? 'no plan' : `plan ${plan.version}`;
    output.print(
      `${output.colors.bold(world)}  ${count(facts.length, 'pod')}, ${planned}, ` +
        `a tick may take ${tickBudgetMs.toFixed(0)} ms`,
    );
    if (facts.length > 0) output.print(podLines(facts, output.colors).join('\n'));
    else output.print('  nobody simulates it: start some with leasehold run');
    return 0;
  });
}

async function look({ plans, tickBudgetMs }: OpenWorld) {
  const records = await plans.pods();
  const [connected, orders, loads, plan] = await Promise.all([
    plans.connected(records.map(({ pod }) => pod)),
    plans.orders(),
    plans.loads(),
    plans.plan(),
  ]);
  const facts = podFacts({ records, connected, orders, loads, plan, tickBudgetMs });
  return { plan, facts };
}

/** Errors: `POD_UNKNOWN`. */
export function order(
  pod: string,
  asked: Exclude<PodOrder, 'drain'>,
  flags: WorldFlags,
  output: Output,
): Promise<number> {
  return withWorld(flags, output, async ({ world, plans }) => {
    await plans.order(pod, asked);
    output.json({ world, pod, order: asked });
    output.print(
      asked === 'cordon'
        ? `${pod} keeps what it has and gets nothing more, until leasehold uncordon ${pod}`
        : `${pod} may get cells again`,
    );
    return 0;
  });
}
