import type { IncomingMessage, ServerResponse } from 'node:http'

export type Body = Record<string, unknown> & {
  model?: string
  name?: string
  stream?: boolean
  messages?: { role: string; content: string }[]
  prompt?: string
  input?: string | string[]
  options?: { num_predict?: number; stop?: string[] }
  max_tokens?: number
}

export async function bodyOf(req: IncomingMessage): Promise<Body> {
  let text = ''
  req.setEncoding('utf8')
  for await (const piece of req) text += piece
  return text ? (JSON.parse(text) as Body) : {}
}

export function json(res: ServerResponse, status: number, body: object): void {
  res.writeHead(status, { 'content-type': 'application/json; charset=utf-8' }).end(JSON.stringify(body))
}

export const nameIn = (body: Body) => body.model ?? body.name ?? ''
