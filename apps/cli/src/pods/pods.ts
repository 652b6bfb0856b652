/** `leasehold pods`, `cordon` and `uncordon`: who simulates a world, and who is to take no more. */
import type { PodOrder } from '@leasehold/protocol';
import {
  type OpenLayer,
  type OpenWorld,
  seenByPod,
  type WorldFlags,
  withWorld,
} from '../known-world.ts';
import type { Output } from '../output.ts';
import { count } from '../text-table.ts';
import { podFacts, podLines } from './table.ts';

export function pods(flags: WorldFlags, output: Output): Promise<number> {
  return withWorld(flags, output, async (open) => {
    const { world, incarnation, layer, tickBudgetMs } = open;
    const looks = await Promise.all(open.layers.map((each) => look(open, each)));
    const facts = looks.flatMap((each) => each.facts);
    const layers = looks.map((each) => ({ layer: each.layer, plan: each.plan }));
    const plan = layers[0]?.plan ?? null;
    output.json({ world, incarnation, layer, layers, tickBudgetMs, plan, pods: facts });
    output.print(
      `${output.colors.bold(world)}  ${count(facts.length, 'pod')}, ${plansText(layers)}, ` +
        `a tick may take ${tickBudgetMs.toFixed(0)} ms`,
    );
    const isLayered = layers.length > 1;
    if (facts.length > 0) output.print(podLines(facts, output.colors, isLayered).join('\n'));
    else output.print('  nobody simulates it: start some with leasehold run');
    return 0;
  });
}

type Planned = { readonly layer: string; readonly plan: number | null };

function plansText(layers: readonly Planned[]): string {
  const texts = layers.map(({ layer, plan }) => {
    const text = plan === null ? 'no plan' : `plan ${plan}`;
    return layers.length === 1 ? text : `${layer} ${text}`;
  });
  return texts.join(', ');
}

async function look({ tickBudgetMs }: OpenWorld, { layer, plans }: OpenLayer) {
  const records = await plans.pods();
  const [connected, orders, loads, plan] = await Promise.all([
    plans.connected(records.map(({ pod }) => pod)),
    plans.orders(),
    plans.loads(),
    plans.plan(),
  ]);
  const facts = podFacts({ records, connected, orders, loads, plan, tickBudgetMs });
  return { layer, plan: plan?.version ?? null, facts };
}

/** Errors: `POD_UNKNOWN`. */
export function order(
  pod: string,
  asked: Exclude<PodOrder, 'drain'>,
  flags: WorldFlags,
  output: Output,
): Promise<number> {
  return withWorld(flags, output, async (open) => {
    const { world, layer, plans } = await seenByPod(open, pod);
    await plans.order(pod, asked);
    output.json({ world, layer, pod, order: asked });
    output.print(
      asked === 'cordon'
        ? `${pod} keeps what it has and gets nothing more, until leasehold uncordon ${pod}`
        : `${pod} may get cells again`,
    );
    return 0;
  });
}
