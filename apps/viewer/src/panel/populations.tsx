import { whole } from '../format.ts';
import { cssColour, POD_COLOURS } from '../palette.ts';
import { pointsOf } from '../populations.ts';
import { populations } from '../state.ts';

const WIDTH = 320;
const HEIGHT = 64;
/** Curves are told apart by more than their colours. */
const DASHES = ['', '6 3', '2 3', '8 3 2 3'];

/** How many there are of each kind, and were; nothing where entities are of no kind. */
export function PopulationCurves() {
  const { value: curves } = populations;
  if (curves.length === 0) return null;
  return (
    <section class="populations" aria-labelledby="populations-title">
      <h2 id="populations-title">Populations</h2>
      <svg
        viewBox={`-2 -2 ${WIDTH + 4} ${HEIGHT + 4}`}
        role="img"
        aria-label="How many there were of each kind in the last minutes, each on a scale of its own"
      >
        {curves.map((curve, i) => (
          <polyline
            key={curve.name}
            points={pointsOf(curve, WIDTH, HEIGHT)}
            stroke={colourOf(i)}
            stroke-dasharray={DASHES[i % DASHES.length]}
          />
        ))}
      </svg>
      <dl>
        {curves.map(({ name, counts }, i) => (
          <div key={name}>
            <dt class="kind">
              <svg class="kind-line" viewBox="0 0 24 6" aria-hidden="true">
                <line
                  x1="0"
                  x2="24"
                  y1="3"
                  y2="3"
                  stroke={colourOf(i)}
                  stroke-dasharray={DASHES[i % DASHES.length]}
                />
              </svg>
              {name}
            </dt>
            <dd class="kind-count" data-testid={`population-${name}`}>
              {whole(counts.at(-1))}
            </dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

const colourOf = (i: number): string =>
  cssColour(POD_COLOURS[i % POD_COLOURS.length] ?? POD_COLOURS[0]!);
