/** Straight lines through what was measured. */

export type Point = readonly [x: number, y: number];

export type Line = {
  readonly slope: number;
  readonly intercept: number;
  /** Part of the variance that the line explains: 1 when every point is on it. */
  readonly r2: number;
};

/** The line of least squares; a single point, or none, has a flat one. */
export function leastSquares(points: readonly Point[]): Line {
  const mean = (of: (point: Point) => number): number =>
    points.reduce((sum, point) => sum + of(point), 0) / Math.max(1, points.length);
  const meanX = mean(([x]) => x);
  const meanY = mean(([, y]) => y);
  let xx = 0;
  let xy = 0;
  let yy = 0;
  for (const [x, y] of points) {
    xx += (x - meanX) ** 2;
    xy += (x - meanX) * (y - meanY);
    yy += (y - meanY) ** 2;
  }
  const slope = xx === 0 ? 0 : xy / xx;
  return {
    slope,
    intercept: meanY - slope * meanX,
    r2: xx === 0 || yy === 0 ? 1 : (xy * xy) / (xx * yy),
  };
}
