export * from './captured.ts';
