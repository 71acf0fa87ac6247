/** `key=value` lines, as the scripts of facts print them. Later lines of one key win; a line without `=` is no field. */
export function fieldsOf(stdout: string): Map<string, string> {
  return new Map(
    stdout
      .split('\n')
      .map(line => /^([a-z-]+)=(.*)$/.exec(line))
      .filter(found => found !== null)
      .map(([, key, value]) => [key!, value!.trim()]),
  )
}

/** Throws where the field is missing: the answer is then unknown, and not empty. */
export function field(fields: Map<string, string>, key: string): string {
  const value = fields.get(key)
  if (value === undefined) throw new Error(`it lacks ${key}`)
  return value
}

/** A whole number from 0. Throws for anything else. */
export function whole(text: string | undefined): number {
  if (text === undefined || !/^\d+$/.test(text)) throw new Error(`${JSON.stringify(text)} is not a number`)
  return Number(text)
}

export const linesOf = (stdout: string): string[] => stdout.split('\n').filter(line => line !== '')
