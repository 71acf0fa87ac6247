interface Layer {
  digest: string
  size: number
}

/** Ollama asks for parts of 100 MB; smaller ones here, so that a small model has several. */
const PART = 400_000

/** Fetches a model by `HOST:PORT/SPACE/MODEL:TAG`; gives its manifest. Throws in Ollama's words. */
export async function fetchModel(
  name: string,
  to: {
    has(digest: string): boolean
    put(digest: string, bytes: Buffer): void
    told(digest: string, total: number, completed: number): void
    took(bytes: number): void
  },
): Promise<string> {
  const [, host, path, tag] = /^([^/]+)\/(.+):([^:/]+)$/.exec(name)!
  const root = `http://${host}/v2/${path}`
  const found = await fetch(`${root}/manifests/${tag}`)
  if (!found.ok) throw new Error('pull model manifest: file does not exist')
  const text = await found.text()
  const manifest = JSON.parse(text) as { config: Layer; layers: Layer[] }
  for (const { digest } of [...manifest.layers, manifest.config]) {
    if (to.has(digest)) continue
    const url = `${root}/blobs/${digest}`
    const size = Number((await fetch(url, { method: 'HEAD' })).headers.get('content-length'))
    // It asks once for the whole, to be told where it really is, and leaves.
    const led = await fetch(url)
    await led.body!.cancel()
    if (!led.headers.has('location')) throw new Error('http: no Location header in response')
    const parts: Buffer[] = []
    for (let at = 0; at < size; at += PART) {
      parts.push(await part(url, at, Math.min(at + PART, size) - 1))
      to.took(parts.at(-1)!.length)
      to.told(digest, size, Math.min(at + PART, size))
    }
    to.put(digest, Buffer.concat(parts))
  }
  return text
}

async function part(url: string, from: number, last: number): Promise<Buffer> {
  for (let tries = 1; ; tries++) {
    try {
      const answer = await fetch(url, { headers: { range: `bytes=${from}-${last}` } })
      const bytes = Buffer.from(await answer.arrayBuffer())
      if (answer.status !== 206 || bytes.length !== last - from + 1) throw new Error('unexpected EOF')
      return bytes
    } catch (thrown) {
      if (tries >= 2) throw new Error(`max retries exceeded: ${(thrown as Error).message}`)
    }
  }
}
