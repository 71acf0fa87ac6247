import { inspect } from 'node:util'

const REDACTED = '[REDACTED]'

/** A text that no log, plan, error or JSON may show. Only `reveal()` gives it, at the place that needs it. */
export class Secret {
  readonly #text: string

  constructor(text: string) {
    this.#text = text
  }

  reveal(): string {
    return this.#text
  }

  toString(): string {
    return REDACTED
  }

  toJSON(): string {
    return REDACTED
  }

  [inspect.custom](): string {
    return REDACTED
  }
}

/** A template tag: a text that contains a Secret is a Secret. */
export function secretText(parts: TemplateStringsArray, ...values: (Secret | string | number)[]): Secret {
  const reveal = (v: Secret | string | number) => (v instanceof Secret ? v.reveal() : String(v))
  return new Secret(parts.reduce((text, part, i) => text + reveal(values[i - 1] ?? '') + part))
}
