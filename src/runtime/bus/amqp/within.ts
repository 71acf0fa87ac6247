/** The value; undefined after `ms`, or when `act` throws. */
export function within<T>(ms: number, act: Promise<T> | undefined): Promise<T | undefined> {
  return new Promise(resolve => {
    const timer = setTimeout(resolve, Math.max(0, ms), undefined)
    const done = (value: T | undefined) => {
      clearTimeout(timer)
      resolve(value)
    }
    Promise.resolve(act).then(done, () => done(undefined))
  })
}
