import Table from 'cli-table3'

const NOTHING = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
}
const PLAIN = {
  ...NOTHING,
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '  ',
}

/** Columns aligned without borders, so that a line can be cut up by other programs. */
export function table(heads: string[], rows: string[][]): string {
  const made = new Table({
    chars: PLAIN,
    style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [] },
    head: heads,
  })
  made.push(...rows)
  return made
    .toString()
    .split('\n')
    .map(line => line.trimEnd())
    .join('\n')
}
