/** Connects the page to a gateway and keeps the signals of `state.ts` current. */
import { connect, type Status, type View } from '@leasehold/client';
import { Feed } from './feed.ts';
import { mergeJournal } from './plan-words.ts';
import { PodRows } from './pod-rows.ts';
import { Populations } from './populations.ts';
import { Rate } from './rates.ts';
import * as state from './state.ts';

/** How often figures are computed; numbers that change faster cannot be read. */
const FIGURES_MS = 500;

export function startLink(urls: readonly string[]): View {
  const view = connect({ url: urls });
  hearConnection(view);
  hearWorld(view);
  view.status(true);
  return view;
}

function hearConnection(view: View): void {
  view.on('welcome', (welcome) => {
    const { world, incarnation } = state.welcome.value ?? {};
    if (world !== welcome.world || incarnation !== welcome.incarnation) {
      state.plan.value = undefined;
      state.journal.value = [];
      state.pinned.value = undefined;
    }
    state.welcome.value = welcome;
    document.title = `${welcome.world} · Leasehold`;
  });
  view.on('state', (now) => {
    const { value: before } = state.link;
    if (now === 'open') state.link.value = { state: now, why: '' };
    else if (now !== before.state) state.link.value = { ...before, state: now };
  });
  view.on('close', ({ reason, willRetry }) => {
    state.link.value = { state: willRetry ? 'waiting' : 'closed', why: reason };
  });
  view.on('error', ({ code, message, remedy }) => {
    state.link.value = { ...state.link.value, why: `${message} (${code}). ${remedy}` };
  });
}

function hearWorld(view: View): void {
  const rows = new PodRows();
  const feed = new Feed();
  const ticks = new Rate();
  const populations = new Populations();
  const showPods = (): void => {
    const pods = rows.rows(state.holders.value, performance.now());
    // Colours first: the map and the table take them when they hear of the pods.
    state.colours.update(pods.map(({ pod }) => pod));
    state.pods.value = pods;
  };
  view.on('status', (status) => {
    rows.note(status, performance.now());
    state.status.value = status;
    if (status.kinds !== undefined) {
      populations.add(status.tick, status.kinds);
      state.populations.value = populations.curves();
    }
    showPods();
    feed.seeLiving(living(status));
    state.feedLines.value = feed.lines;
  });
  view.on('holders', (holders) => {
    state.colours.update([
      ...new Set([...state.pods.value.map(({ pod }) => pod), ...holders.pods]),
    ]);
    state.holders.value = holders;
    showPods();
  });
  view.on('plan', (plan) => {
    state.plan.value = plan;
  });
  view.on('journal', (items) => {
    state.journal.value = mergeJournal(state.journal.value, items);
  });
  view.on('feed', (items) => {
    feed.add(items);
    const { value: status } = state.status;
    if (status !== undefined) feed.seeLiving(living(status));
    state.feedLines.value = feed.lines;
  });
  setInterval(() => {
    if (view.tick > 0 && view.state === 'open') ticks.add(performance.now(), view.tick);
    state.figures.value = {
      tick: view.tick,
      ticksPerS: ticks.perSecond,
      // What is drawn is counted first: the gateway's own count lags while it reads cells again.
      entities: state.counted.value ?? state.status.value?.entities,
      births: rows.births,
      deaths: rows.deaths,
    };
  }, FIGURES_MS);
}

function living({ pods }: Status): Set<string> {
  return new Set(pods.filter((pod) => pod.isConnected).map(({ pod }) => pod));
}
