/** Who is missing for a moment stays readable, and no more of them than a limit. */
import { eventually } from '@leasehold/testkit';
import { expect, onTestFinished, test } from 'vitest';
import { ScriptedCell, ScriptedGateway, scope } from './gateway-fixture.ts';
import { connect } from './index.ts';

test('of those who are missing so many are kept, however long nobody says that it is all', async () => {
  const gateway = await ScriptedGateway.open();
  const view = connect({ url: gateway.url });
  onTestFinished(async () => {
    view.close();
    await gateway.kill();
  });
  const subscription = view.subscribe({ area: { kind: 'world' } });
  const peer = await gateway.peer();
  await peer.welcome();
  await peer.heard('subscribe');
  const cell = new ScriptedCell(0);
  cell.rows = new Map(Array.from({ length: 66_000 }, (_, i) => [i + 10, { x: 1, y: 1 }] as const));
  peer.frame(9, scope(1), cell.state(9));
  await eventually(() => subscription.has(10));
  cell.rows = new Map([[70_000, { x: 2, y: 2 }]]);
  cell.seq++;
  peer.frame(10, scope(1), cell.state(10));
  await eventually(() => subscription.has(70_000));
  // The newest are, and those who were seen first are not.
  expect(subscription.get(66_009)).toMatchObject({ cell: 0, tick: 9 });
  expect(subscription.get(10)).toBeUndefined();
});
