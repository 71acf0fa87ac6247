declare const means: unique symbol

/** The type of a text that stands for a value; `Parsed` puts the value in its place and its unit behind the field's name. */
export interface Written<Value, Suffix extends string> {
  readonly [means]: [Value, Suffix]
}

/** What the decoder makes of a schema: `maxStale: 1s` becomes `maxStaleMs: 1000`. */
export type Parsed<T> =
  T extends Written<infer Value, string>
    ? Value
    : T extends readonly (infer Element)[]
      ? Parsed<Element>[]
      : T extends object
        ? { [K in keyof T as NameOf<K, T[K]>]: Parsed<T[K]> }
        : T

type NameOf<K, T> = NonNullable<T> extends Written<unknown, infer Suffix> ? `${K & string}${Suffix}` : K
