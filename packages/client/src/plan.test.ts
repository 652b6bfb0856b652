/** What a client is told of the plan, over a real WebSocket. */
import { encodeJsonPart, encodePlanPart } from '@leasehold/protocol/view';
import { eventually } from '@leasehold/testkit';
import { expect, onTestFinished, test } from 'vitest';
import { ScriptedGateway } from './gateway-fixture.ts';
import { connect, type JournalItem, type PlanView } from './index.ts';

const PLAN: PlanView = {
  ...{ version: 3, atMs: 5, regionCount: 1, asleep: [[99, 1]] },
  regions: [
    {
      ...{ id: 4, rect: { column: 0, row: 0, columns: 5, rows: 10 }, pod: 'a', standby: 'b' },
      ...{ relief: 'dilated', dilation: 2, tickMs: 12.5, entities: 90 },
      edges: [{ side: 'east', region: 5, pod: 'b', cells: 10 }],
    },
  ],
};
const NONE: PlanView = { version: 0, atMs: 0, regionCount: 0, regions: [], asleep: [] };
const entry = (id: string): JournalItem => ({
  ...{ id, atMs: 5, version: 3, kind: 'move', cause: 'heavy', regions: [4], cells: 50 },
  ...{ before: { a: 30 }, expected: { a: 12, b: 18 } },
});

async function open() {
  const gateway = await ScriptedGateway.open();
  const view = connect({ url: gateway.url, backoff: { firstMs: 20, maxMs: 40 } });
  onTestFinished(async () => {
    view.close();
    await gateway.kill();
  });
  const peer = await gateway.peer();
  await peer.welcome();
  await eventually(() => view.state === 'open');
  return { gateway, view, peer };
}

test('a plan, its journal, and that nobody plans are events', async () => {
  const { view, peer } = await open();
  const plans: PlanView[] = [];
  const journals: (readonly JournalItem[])[] = [];
  view.on('plan', (plan) => plans.push(plan));
  view.on('journal', (items) => journals.push(items));
  const [first, second] = [entry('5-0'), entry('6-0')];
  const entries = [first, second].map((item) => encodeJsonPart('journal', item));
  peer.frame(6, encodePlanPart(PLAN), ...entries);
  peer.frame(7, encodePlanPart(NONE));
  await eventually(() => plans.length === 2);
  expect(plans).toEqual([PLAN, NONE]);
  expect(journals).toEqual([[first, second]]);
});

const journalPart = (lie: object) => encodeJsonPart('journal', { ...entry('5-0'), ...lie });
test.each([
  ['a plan of a larger grid', encodePlanPart({ ...PLAN, asleep: [[100, 1]] })],
  ['an entry without a cause', journalPart({ cause: undefined })],
  ['an entry about regions that are no numbers', journalPart({ regions: ['4'] })],
  ['an entry with loads that are no numbers', journalPart({ before: { a: 'much' } })],
])('%s is BODY_MALFORMED, and the connection is made anew', async (_, part) => {
  const { gateway, view, peer } = await open();
  const codes: string[] = [];
  view.on('error', ({ code }) => codes.push(code));
  peer.frame(6, part);
  await gateway.peer(2);
  expect(codes).toEqual(['BODY_MALFORMED']);
});
