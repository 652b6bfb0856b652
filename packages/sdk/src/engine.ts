/** What runs simulations: for pods and tools. Users import `@leasehold/sdk`. */
export { CellState, type StepInput, type StepResult } from './cell.ts';
export { type CompileOptions, compile, type Engine } from './compile.ts';
export { LETTERS_COMPONENT } from './letter-order.ts';
export type { SeedCommit } from './seed.ts';
export { CellView } from './view.ts';
