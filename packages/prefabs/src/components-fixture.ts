/** The components of a small world, for tests. */
import { component, f32, f64, json, string, u8 } from '@leasehold/sdk';
import { Prefab } from './component.ts';
import { checkedComponents } from './prefab.ts';

const schemas = [
  Prefab,
  component('position', 1, { x: f64, y: f64, facing: u8 }, { spatial: ['x', 'y'] }),
  component('energy', 1, { value: f32, most: f32 }),
  component('mood', 1, { word: string, past: json }),
].map(({ schema }) => schema);

export const COMPONENTS = checkedComponents(schemas);
