export { Capture, type CaptureLayer, type CaptureOptions } from './capture.ts';
export { type CutWorld, takeCut } from './cut.ts';
export { type RestoreLayer, restoreCells } from './restore-cells.ts';
