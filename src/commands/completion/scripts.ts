import { bash } from './bash.ts'
import { fish } from './fish.ts'
import type { Place } from './grammar.ts'
import { zsh } from './zsh.ts'

/** The script of each shell we know. */
export const scripts: Record<string, (places: Place[]) => string> = { bash, zsh, fish }
