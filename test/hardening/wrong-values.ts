/** One value of each kind that a field may wrongly hold. */
export function wrongValues(): unknown[] {
  return [
    undefined,
    null,
    true,
    0,
    -1,
    1.5,
    1e308,
    -0,
    Number.MAX_SAFE_INTEGER + 1,
    '',
    ' ',
    'x'.repeat(70_000),
    ...wrongTexts(),
    [],
    [null],
    [[]],
    Array(2_000).fill('a'),
    {},
    { a: { b: [1] } },
    JSON.parse('{"constructor": "x", "hasOwnProperty": 1, "toString": null, "then": 1}'),
  ]
}

/** Texts that a name, a path, a log or a terminal could misread. */
export function wrongTexts(): string[] {
  return [
    '.',
    '..',
    '../../etc/passwd',
    '..%2f..%2fx',
    '/x',
    'x/',
    'a//b',
    'a/../b',
    'A',
    'a.',
    'a b',
    'admin/../nobody',
    'a\u0000b',
    'a\nb: c',
    '\u001b[31mred\u001b[0m\u0007',
    '\u009b31m',
    '\u202egnp.exe',
    '\ufeffa',
    '\ud83d\ude00',
    'e\u0301',
    '__proto__',
    'constructor',
    'hasOwnProperty',
    "' OR 1=1 --",
    '{{7*7}}<script>',
    '%',
    '%00',
    '-1',
    'NaN',
    'null',
    '*',
    'é'.repeat(255),
    'x'.repeat(513),
    'x'.repeat(2_000),
  ]
}

/** A document that nobody would think of, the same for the same seed. */
export function random(seed: number): unknown {
  let state = seed
  const next = () => {
    state = (state * 48_271) % 2_147_483_647
    return state / 2_147_483_647
  }
  const value = (depth: number): unknown => {
    const kind = Math.floor(next() * (depth > 3 ? 5 : 7))
    if (kind === 0) return null
    if (kind === 1) return next() < 0.5
    if (kind === 2) return (next() - 0.5) * 10 ** Math.floor(next() * 300)
    if (kind < 5) return String.fromCharCode(...Array.from({ length: next() * 40 }, () => next() * 0xd7ff))
    const inner = Array.from({ length: next() * 5 }, () => value(depth + 1))
    return kind === 5 ? inner : Object.fromEntries(inner.map((v, i) => [`k${i}`, v]))
  }
  return value(0)
}
