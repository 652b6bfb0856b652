import { signal } from '@preact/signals';
import { whole } from '../format.ts';
import { timeText } from '../moments.ts';
import { findEntity } from '../requests.ts';
import {
  controls,
  figures,
  gauges,
  hovered,
  isPlanned,
  type Layer,
  layers,
  mapFault,
  notice,
  pastSnapshot,
  pods,
  selected,
  welcome,
} from '../state.ts';
import { Icon } from './icon.tsx';
import { PastMark, TimeBar } from './time-bar.tsx';

/** The canvas is put into `#map` by the map itself; everything over it is here. */
export function MapPane() {
  return (
    <main class="map-pane">
      {/* An application: it has keys of its own, which its description tells. */}
      <div
        id="map"
        role="application"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: an application takes keys
        tabIndex={0}
        aria-label={`Map of the world ${welcome.value?.world ?? ''}`}
        aria-describedby="map-summary map-keys"
      />
      <Summary />
      {mapFault.value !== '' && (
        <p class="map-fault" role="alert">
          {mapFault.value}
        </p>
      )}
      <Search />
      <PastMark />
      <div class="map-foot">
        <TimeBar />
        <Layers />
      </div>
      <Zoom />
      <Tooltip />
      <p class="notice" role="status" data-testid="notice">
        {notice.value}
      </p>
    </main>
  );
}

/** What the map shows, in words. */
function Summary() {
  const holding = pods.value.filter(({ cells }) => cells > 0);
  const cells = holding.reduce((sum, pod) => sum + pod.cells, 0);
  return (
    <div class="hidden">
      <p id="map-summary">
        {whole(figures.value.entities)} entities in the world, {whole(gauges.value.inView)} in the
        area of the map. {whole(cells)} cells are held by {holding.length} pods:{' '}
        {holding.map((pod) => `${pod.pod} ${pod.cells}`).join(', ')}.
        {pastSnapshot.value !== undefined && ` It shows the past: ${timeText(pastSnapshot.value)}.`}
        {selected.value === 0 ? '' : ` Entity ${selected.value} is selected.`}
      </p>
      <p id="map-keys">
        Arrow keys move the map, plus and minus zoom, 0 shows all, N selects the next entity, F
        follows it, Enter goes to its components, slash searches, brackets go through snapshots, C
        compares one with now, question mark shows help.
      </p>
    </div>
  );
}

const searchText = signal('');

function Search() {
  return (
    <search class="search">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void findEntity(searchText.value).then((answer) => {
            notice.value = answer;
          });
        }}
      >
        <label class="hidden" for="search">
          Find an entity by its id
        </label>
        <input
          id="search"
          type="text"
          inputMode="numeric"
          autocomplete="off"
          placeholder="entity id"
          value={searchText.value}
          onInput={(event) => {
            searchText.value = event.currentTarget.value;
          }}
        />
        <button type="submit" class="icon-button" aria-label="Find" title="Find (/)">
          <Icon name="search" />
        </button>
      </form>
      <button
        type="button"
        class="icon-button"
        aria-label="Select the next entity on the map"
        title="Next entity (N)"
        onClick={() => controls.value?.selectBeside(1)}
      >
        <Icon name="next" />
      </button>
    </search>
  );
}

const LAYERS: readonly (readonly [Layer, string])[] = [
  ['holders', 'holders'],
  ['cells', 'cells'],
  ['regions', 'regions'],
  ['trails', 'trails'],
  ['ids', 'ids'],
];

/** Of a snapshot nobody knows these. */
const OF_NOW: readonly Layer[] = ['holders', 'regions', 'trails'];

function Layers() {
  return (
    <fieldset class="layers">
      <legend class="hidden">Layers of the map</legend>
      {LAYERS.filter(([layer]) => layer !== 'regions' || isPlanned.value).map(([layer, text]) => (
        <button
          key={layer}
          type="button"
          class="toggle"
          aria-pressed={layers[layer].value}
          disabled={pastSnapshot.value !== undefined && OF_NOW.includes(layer)}
          onClick={() => {
            layers[layer].value = !layers[layer].value;
          }}
        >
          {text}
        </button>
      ))}
    </fieldset>
  );
}

function Zoom() {
  return (
    <fieldset class="zoom">
      <legend class="hidden">Camera</legend>
      <button
        type="button"
        class="icon-button"
        aria-label="Zoom in"
        title="Zoom in (+)"
        onClick={() => controls.value?.zoomBy(1.6)}
      >
        <Icon name="plus" />
      </button>
      <button
        type="button"
        class="icon-button"
        aria-label="Zoom out"
        title="Zoom out (−)"
        onClick={() => controls.value?.zoomBy(1 / 1.6)}
      >
        <Icon name="minus" />
      </button>
      <button
        type="button"
        class="icon-button"
        aria-label="Show the whole world"
        title="Show the whole world (0)"
        onClick={() => controls.value?.home()}
      >
        <Icon name="home" />
      </button>
    </fieldset>
  );
}

function Tooltip() {
  const over = hovered.value;
  if (over === undefined) return null;
  const style = { '--x': `${over.xPx}px`, '--y': `${over.yPx}px` };
  return (
    <div class="tooltip" style={style} aria-hidden="true">
      {over.text}
    </div>
  );
}
