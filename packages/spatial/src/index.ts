export { AreaShape, type AreaSpec, circleRadiusMax } from './area.ts';
export {
  type Box,
  boxContains,
  type CellRect,
  cellsOfBox,
  cellsOfRect,
  checkBox,
  haloOf,
  rectContains,
  rectOfBox,
  splitBox,
  widenBox,
} from './boxes.ts';
export { cellDistanceMax, cellDistanceMin } from './cell-distance.ts';
export {
  fromGeo,
  type GeoBox,
  type GeoCircle,
  geoAround,
  geoBoxes,
  geoScore,
  INDEX_STEP_DEGREES,
  REDIS_EARTH_RADIUS_M,
  toGeo,
} from './geo.ts';
export {
  BLOCK_CELLS_DEFAULT,
  Grid,
  type GridOptions,
  MARGIN_DEFAULT,
  MARGIN_MAX,
} from './grid.ts';
export { POLYGON_POINTS_MAX } from './ring.ts';
export {
  BLOCK_CELLS_MAX,
  type MeasuredSpace,
  measureSpace,
  type SpaceSpec,
  TORUS_CELLS_MIN,
  WGS84_CELL_MAX,
} from './space.ts';
export {
  EARTH_RADIUS_M,
  greatCircleDestination,
  greatCircleDistance,
  greatCirclePoint,
  initialBearing,
  LATITUDE_INDEXED_MAX,
  type PointOut,
} from './sphere.ts';
