/** The value below which that share of the numbers lies, by nearest rank. */
export function percentile(numbers, share) {
  const sorted = numbers.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)]
}

export const median = numbers => percentile(numbers, 0.5)
export const rounded = (n, digits = 2) => Math.round(n * 10 ** digits) / 10 ** digits

/** Rows of text and numbers under their heads, aligned; numbers to the right. */
export function table(heads, rows) {
  const cells = [heads, ...rows].map(row => row.map(String))
  const widths = heads.map((_, i) => Math.max(...cells.map(row => row[i].length)))
  const line = row => row.map((c, i) => (i === 0 ? c.padEnd(widths[i]) : c.padStart(widths[i]))).join('  ')
  return [line(cells[0]), widths.map(w => '-'.repeat(w)).join('  '), ...cells.slice(1).map(line)].join('\n')
}
