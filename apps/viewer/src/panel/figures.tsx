import { short, whole } from '../format.ts';
import { figures, gauges, welcome } from '../state.ts';

/** The numbers of the world. How many entities there are comes first: that must never fall. */
export function Figures() {
  const { tick, ticksPerS, entities, births, deaths } = figures.value;
  const wantedHz = welcome.value?.tickHz;
  const { fps, frameMsP95, latencyMs } = gauges.value;
  return (
    <section class="figures" aria-label="Figures of the world">
      <dl>
        <div class="total">
          <dt>entities</dt>
          <dd data-testid="entities">{whole(entities)}</dd>
        </div>
        <div>
          <dt>tick</dt>
          <dd data-testid="tick">{whole(tick)}</dd>
        </div>
        <div>
          <dt>ticks/s{wantedHz === undefined ? '' : ` of ${wantedHz}`}</dt>
          <dd>{short(ticksPerS)}</dd>
        </div>
        <div>
          <dt>births</dt>
          <dd>{whole(births)}</dd>
        </div>
        <div>
          <dt>deaths</dt>
          <dd>{whole(deaths)}</dd>
        </div>
      </dl>
      <p
        class="gauges"
        data-testid="meter"
        data-frame-ms-p95={frameMsP95.toFixed(2)}
        data-latency-ms={latencyMs.toFixed(1)}
        data-fps={fps}
      >
        {whole(fps)} frames/s · {short(frameMsP95)} ms a frame · {whole(latencyMs)} ms behind
      </p>
    </section>
  );
}
