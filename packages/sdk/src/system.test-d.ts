/**
 * What the compiler must accept and refuse. Run by `tsc`: a line that should fail and does not is
 * an error.
 */
import { bool, component, f64, json, simulation, string, system, u8 } from './index.ts';

const Position = component('position', 1, { x: f64, y: f64 }, { spatial: ['x', 'y'] });
const Velocity = component('velocity', 1, { x: f64, y: f64 });
const Label = component('label', 1, { text: string, isOn: bool, tags: json<string[]>([]) });

Position({ x: 1 });
// @ts-expect-error: no such field
Position({ z: 1 });
// @ts-expect-error: not a number
Position({ x: 'left' });
// @ts-expect-error: spatial names fields of kind f32 or f64
component('bad', 1, { x: f64, n: u8 }, { spatial: ['x', 'n'] });
component('good', 1, { x: f64, n: u8 }, { steps: { x: 0.1 } });
// @ts-expect-error: steps are of fields of kind f32 or f64
component('bad', 1, { x: f64, n: u8 }, { steps: { n: 1 } });

export const typed = system({
  name: 'typed',
  reads: { velocity: Velocity },
  writes: { position: Position },
  optional: { label: Label },
  params: { speed: 2 },
  neighbours: { radius: (params) => params.speed, reads: { theirs: Velocity } },
  each({ position, velocity, label }, { neighbours, params, random, spawn, id }) {
    position.x += velocity.x * params.speed + random.float() + id;
    // @ts-expect-error: reads arrive readonly
    velocity.x = 1;
    // @ts-expect-error: optional may be undefined
    label.text;
    // @ts-expect-error: optional arrives readonly
    if (label) label.text = '';
    // @ts-expect-error: JSON is replaced, not changed in place
    label?.tags.push('a');
    const text: string | undefined = label?.text;
    const isOn: boolean | undefined = label?.isOn;
    for (const other of neighbours) {
      position.y += other.dx + other.theirs.y;
      // @ts-expect-error: neighbours arrive readonly
      other.theirs.y = 1;
      // @ts-expect-error: this component was not declared
      other.position;
    }
    // @ts-expect-error: this parameter was not declared
    params.size;
    spawn(Position({ x: 1 }), Label({ text: text ?? '', isOn: isOn ?? true, tags: ['a'] }));
    // @ts-expect-error: a component is not a value
    spawn(Position);
  },
});

export const bare = system({
  name: 'bare',
  writes: { position: Position },
  each(row) {
    // @ts-expect-error: this component was not declared
    row.velocity;
    // @ts-expect-error: rows cannot be replaced
    row.position = { x: 1, y: 1 };
  },
});

export default simulation({
  components: [Position, Velocity, Label],
  systems: [typed, bare],
  params: { birds: 10 },
  seed({ params, spawn, random }) {
    for (let i = 0; i < params.birds; i++) spawn(Position({ x: random.float() }));
    // @ts-expect-error: this parameter was not declared
    params.bees;
  },
});
