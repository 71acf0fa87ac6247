import { connect } from 'node:net'

export interface RawAnswer {
  /** Of the first answer; 0 when there was none. */
  status: number
  headers: Record<string, string>
  body: string
  /** Everything that came, several answers included. */
  all: string
}

/** Sends bytes as they are to a port of this machine and reads until the other side closes. */
export function raw(url: string, bytes: string | Buffer): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(new URL(url).port), '127.0.0.1')
    const chunks: Buffer[] = []
    let late = false
    const timer = setTimeout(() => {
      late = true
      socket.destroy()
    }, 20_000)
    socket.on('data', chunk => chunks.push(chunk)).on('error', () => {})
    socket.on('close', () => {
      clearTimeout(timer)
      const all = Buffer.concat(chunks).toString()
      if (late) reject(new Error(`the connection stayed open after: ${all.slice(0, 500)}`))
      else resolve(parsed(all))
    })
    socket.write(bytes)
  })
}

function parsed(all: string): RawAnswer {
  const end = all.indexOf('\r\n\r\n')
  const [first = '', ...lines] = all.slice(0, Math.max(end, 0)).split('\r\n')
  const headers = Object.fromEntries(
    lines.map(l => [l.slice(0, l.indexOf(':')).toLowerCase(), l.slice(l.indexOf(':') + 1).trim()]),
  )
  return { status: Number(first.split(' ')[1] ?? 0), headers, body: all.slice(end + 4), all }
}

/** A request as text, which a client library would refuse to write. */
export function request(o: {
  method?: string
  path: string
  headers?: string[]
  body?: string | Buffer
}): Buffer {
  const body = Buffer.from(o.body ?? '')
  const given = o.headers ?? []
  const own = (name: string, line: string) =>
    given.some(h => h.toLowerCase().startsWith(`${name}:`)) ? [] : [line]
  const head = [
    `${o.method ?? 'GET'} ${o.path} HTTP/1.1`,
    ...own('host', 'Host: localhost'),
    ...own('connection', 'Connection: close'),
    ...(o.body === undefined ? [] : own('content-length', `Content-Length: ${body.length}`)),
    ...given,
    '',
    '',
  ].join('\r\n')
  return Buffer.concat([Buffer.from(head, 'latin1'), body])
}
