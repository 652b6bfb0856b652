/** The whole page: the map with its controls on the left, what is known about it on the right. */
import { signal } from '@preact/signals';
import { Banner } from './banner.tsx';
import { FeedList } from './feed-list.tsx';
import { Figures } from './figures.tsx';
import { Help } from './help.tsx';
import { Inspector } from './inspector.tsx';
import { MapPane } from './map-pane.tsx';
import { PlanSection } from './plan-section.tsx';
import { PodsTable } from './pods-table.tsx';
import { PopulationCurves } from './populations.tsx';
import { Title } from './title.tsx';

/** On a narrow screen the panel is a sheet at the bottom, opened by its handle. */
const isSheetOpen = signal(false);

export function Page() {
  return (
    <div class="page">
      <Banner />
      <MapPane />
      <aside class={isSheetOpen.value ? 'panel open' : 'panel'} aria-label="World and pods">
        <button
          type="button"
          class="handle"
          aria-expanded={isSheetOpen.value}
          aria-controls="panel-body"
          onClick={() => {
            isSheetOpen.value = !isSheetOpen.value;
          }}
        >
          <span class="grip" aria-hidden="true" />
          <span class="hidden">{isSheetOpen.value ? 'Show less' : 'Show more'}</span>
        </button>
        <Title />
        <Figures />
        <div id="panel-body" class="panel-body">
          <Inspector />
          <PopulationCurves />
          <PodsTable />
          <PlanSection />
          <FeedList />
        </div>
      </aside>
      <Help />
    </div>
  );
}
