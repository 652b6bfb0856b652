/**
 * View frames: what a gateway sends to its clients, and what they say to it. Small and without the
 * rest of the package, for the browser.
 */

export { type ByteReader, ByteWriter } from '../bytes.ts';
export type { DecisionKind, Edge, Rect, Relief, Side } from '../plan.ts';
export type {
  Column,
  ComponentSchema,
  FieldKind,
  FieldSchema,
  FieldValue,
} from '../schema.ts';
export { type CellChange, CellRows, type ChangedField, type ViewColumn } from './cell-rows.ts';
export {
  appendDeltaPart,
  appendStatePart,
  type CellChanges,
  type CellPosition,
  encodeDeltaPart,
  encodeStatePart,
  type FieldRows,
  type PartBase,
  type PartRows,
  type ViewRows,
} from './encode.ts';
export {
  encodeCellsPart,
  encodeHoldersPart,
  encodeJsonPart,
  encodeLivePart,
  encodeMorePart,
  encodeScopePart,
  encodeTimePart,
} from './encode-parts.ts';
export { encodePlanPart, PLAN_PART_BYTES_MAX } from './encode-plan.ts';
export { FRAME_VERSION, type FramePart, FrameReader, FrameWriter } from './frame.ts';
export type * from './messages.ts';
export { CLOSE, VIEW_PROTOCOL } from './messages.ts';
export {
  type JsonParts,
  PART,
  type PartKind,
  peekCell,
  readCells,
  readHolders,
  readJsonPart,
  readScope,
  readTime,
} from './parts.ts';
export { readPlan } from './plan-part.ts';
export {
  cellCentre,
  Q_WIDE,
  quantise,
  type ViewComponent,
  type ViewField,
  type ViewShape,
  viewShape,
} from './shape.ts';
export { DeltaStencil, type StencilField } from './stencil.ts';
