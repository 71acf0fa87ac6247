import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { templatesFolder } from '../../assets.ts'

/** Lines that are whole already, one below the other; a word is quoted as its file type wants. */
export type Value = string | number | { lines: string[] }

/**
 * The text of a file under templates/ with every `${name}` filled in; `$${` stands for the two signs. Throws an error of ours for a name
 * that is unknown to either side, and for a word that the file type cannot hold.
 */
export function fill(file: string, values: Record<string, Value>): string {
  const used = new Set<string>()
  const text = read(file).replace(
    /^([ \t]*)\$\{(\w+)\}[ \t]*\n|\$?\$\{(\w+)\}/gm,
    (found, indent = '', alone, within) => {
      if (found.startsWith('$${')) return found.slice(1)
      const name = alone ?? within
      const value = values[name]
      if (value === undefined) throw new Error(`${file} wants ${name}, which nobody gives`)
      used.add(name)
      if (typeof value !== 'object') return indent + word(value, file) + (alone ? '\n' : '')
      if (!alone) throw new Error(`${file}: the lines of ${name} want a line of their own`)
      return value.lines.map(line => `${indent + line}\n`).join('')
    },
  )
  const unused = Object.keys(values).filter(name => !used.has(name))
  if (unused.length > 0) throw new Error(`${file} does not use ${unused.join(', ')}`)
  return text
}

const texts = new Map<string, string>()

function read(file: string): string {
  const text = texts.get(file) ?? readFileSync(join(templatesFolder(), file), 'utf8')
  texts.set(file, text)
  return text
}

/** systemd reads % as the start of a specifier, and takes no line end within a value. */
function word(value: string | number, file: string): string {
  const text = String(value)
  if (/[\x00-\x1f]/.test(text)) throw new Error(`${file}: ${JSON.stringify(text)} is more than one word`)
  return /\.(service|socket|timer|path|mount|target|slice)(\.d\/.*)?$/.test(file)
    ? text.replaceAll('%', '%%')
    : text
}
