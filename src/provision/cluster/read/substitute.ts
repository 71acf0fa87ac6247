export interface Substituted {
  text: string
  /** Something was put in: the text's own kind (number, true) is then the field's to decide. */
  changed: boolean
  mistakes: { says: string; fix: string }[]
}

/** Puts `${NAME}` from the environment in; `$${` stands for a plain `${`. */
export function substitute(text: string, env: NodeJS.ProcessEnv): Substituted {
  const mistakes: Substituted['mistakes'] = []
  let changed = false
  const out = text.replace(/\$\$\{|\$\{([^}]*)\}?/g, (whole, name: string | undefined) => {
    if (whole === '$${') return '${'
    if (!whole.endsWith('}') || !/^[A-Za-z_][A-Za-z0-9_]*$/.test(name!)) {
      mistakes.push({
        says: `has a \${ that is no \${NAME}`,
        fix: `Name a variable of the environment, or write $\${ for the two signs themselves.`,
      })
      return whole
    }
    const value = env[name!]
    if (value === undefined)
      mistakes.push({
        says: `needs the variable ${name}, which the environment does not have`,
        fix: `Set it: export ${name}=...`,
      })
    changed = true
    return value ?? ''
  })
  return { text: out, changed, mistakes }
}

/** The inverse: a text that `substitute` reads as this one. */
export const escaped = (text: string) => text.replaceAll('${', () => '$${')
