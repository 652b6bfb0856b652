export { sizeFaults, unprovedFaults, untestedFaults, versionFaults } from './catalogues.ts';
export { glossaryFaults, linkFaults, pageFaults } from './documents.ts';
export { importFaults, importsOf, type Manifest, RANKS, undeclaredFaults } from './imports.ts';
export { luaFaults } from './lua-scripts.ts';
export { environmentFaults, purityFaults } from './purity.ts';
export { type SourceFile, sourceFiles } from './source-files.ts';
export { foreignFaults, lonelyTestFaults, nameFaults, postponedFaults } from './words.ts';
