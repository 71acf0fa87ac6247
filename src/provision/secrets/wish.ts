/** A secret that the cluster has, and how its value comes to be on a control node. */
export interface SecretWish {
  /** Lower-case letters, digits and -; beginning with the component's name, but for the CA. */
  name: string
  /** POSIX sh, run by root in the folder of secrets. Its output is the value. */
  program: string
  /** Secrets that the program reads from the folder. */
  from: string[]
  /** Why it is never given a new value. */
  stays?: string
}

const NAME = /^[a-z0-9](-?[a-z0-9])*$/

/** 256 random bits in base64url, without a line end. */
export const randomSecret = (name: string): SecretWish => ({
  name,
  from: [],
  program: `head -c 32 /dev/urandom | base64 -w 0 | tr -d = | tr -- +/ -_`,
})

/** Wishes of all components as one list. Throws an error of ours for a name that cannot be, or that means two things. */
export function together(wishes: (string | SecretWish)[]): SecretWish[] {
  const all = new Map<string, SecretWish>()
  for (const one of wishes) {
    const wish = typeof one === 'string' ? randomSecret(one) : one
    const known = all.get(wish.name)
    if (!NAME.test(wish.name)) throw new Error(`${JSON.stringify(wish.name)} is no name of a secret`)
    if (known && JSON.stringify(known) !== JSON.stringify(wish))
      throw new Error(`two components want the secret ${wish.name}, each made in another way`)
    all.set(wish.name, wish)
  }
  return [...all.values()]
}
