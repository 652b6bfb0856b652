/** Loads the map, says why when it cannot be drawn, and keeps the meter of the page current. */
import type { View } from '@leasehold/client';
import type { WorldMap } from './map/world-map.ts';
import { FrameMeter, type Meter } from './meter.ts';
import { Rate } from './rates.ts';
import * as state from './state.ts';

const GAUGES_MS = 500;

declare global {
  interface Window {
    /** How the page does, for tests and for people at the console. */
    leaseholdMeter?: Meter;
  }
}

export function startMap(view: View): void {
  const frames = new FrameMeter();
  const bytes = new Rate();
  const updates = new Rate();
  let map: WorldMap | undefined;
  window.leaseholdMeter = {
    get frameMsP95() {
      return frames.p95Ms;
    },
    get fps() {
      return frames.fps(performance.now());
    },
    get latencyMs() {
      return view.latencyMs;
    },
    get entities() {
      return map?.scene?.subscription.size ?? 0;
    },
    get tick() {
      return view.tick;
    },
    get bytesPerUpdate() {
      return (bytes.perSecond ?? 0) / Math.max(1, updates.perSecond ?? 0);
    },
    get drawn() {
      return map?.scene?.entities.drawn ?? 0;
    },
    get drawnPast() {
      return map?.scene?.past.entities.drawn ?? 0;
    },
    get reconnects() {
      return view.reconnects;
    },
    clear: () => frames.clear(),
  };
  setInterval(() => {
    const nowMs = performance.now();
    bytes.add(nowMs, view.bytes);
    updates.add(nowMs, view.updates);
    const subscription = map?.scene?.subscription;
    const isWhole = subscription?.isLive === true && subscription.area.kind === 'world';
    state.counted.value = isWhole ? subscription.size : undefined;
    state.gauges.value = {
      fps: frames.fps(nowMs),
      frameMsP95: frames.p95Ms,
      latencyMs: view.latencyMs,
      inView: subscription?.size ?? 0,
    };
  }, GAUGES_MS);
  void open(view, frames).then((opened) => {
    map = opened;
  });
}

async function open(view: View, frames: FrameMeter): Promise<WorldMap | undefined> {
  const host = document.getElementById('map');
  if (host === null) return undefined;
  const graphics = graphicsOf(document.createElement('canvas'));
  if (graphics === 'none') {
    state.mapFault.value = NO_WEBGL;
    return undefined;
  }
  try {
    const { WorldMap } = await import('./map/world-map.ts');
    const map = new WorldMap(host, view, frames);
    await map.start(graphics);
    return map;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    state.mapFault.value = `The map cannot be drawn: ${why}`;
    return undefined;
  }
}

const NO_WEBGL =
  'This browser has no WebGL, which the map is drawn with. Switch on hardware acceleration or use ' +
  'another browser. Everything in the panel works all the same.';

/** What draws: a graphics card, the processor, or nothing. */
function graphicsOf(canvas: HTMLCanvasElement): 'fast' | 'slow' | 'none' {
  const gl = canvas.getContext('webgl2');
  if (gl === null) return 'none';
  const facts = gl.getExtension('WEBGL_debug_renderer_info');
  const name = String(gl.getParameter(facts?.UNMASKED_RENDERER_WEBGL ?? gl.RENDERER));
  // Contexts are few; this one is not needed any more.
  gl.getExtension('WEBGL_lose_context')?.loseContext();
  return /swiftshader|llvmpipe|software|basic render/i.test(name) ? 'slow' : 'fast';
}
