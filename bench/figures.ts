export function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)]!
}

/** Of the straight line nearest to the points (least squares): how much y grows when x grows by one. */
export function slope(points: { x: number; y: number }[]): number {
  const mean = (of: 'x' | 'y') => points.reduce((sum, point) => sum + point[of], 0) / points.length
  const [x, y] = [mean('x'), mean('y')]
  const along = points.reduce((sum, point) => sum + (point.x - x) * (point.y - y), 0)
  return along / points.reduce((sum, point) => sum + (point.x - x) ** 2, 0)
}

export const two = (n: number) => n.toFixed(2)
