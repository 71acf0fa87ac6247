import { PassThrough, pipeline, type Readable } from 'node:stream'

/** The same bytes, but `source` is not touched before somebody reads: a request that found no connection leaves it to the next try. */
export function untilRead(source: Readable): Readable {
  let begun = false
  const body = new PassThrough()
  const read = body._read.bind(body)
  body._read = size => {
    if (!begun) {
      begun = true
      // A failure of one side ends the other, which is who hears of it.
      pipeline(source, body, () => undefined)
    }
    read(size)
  }
  return body
}
