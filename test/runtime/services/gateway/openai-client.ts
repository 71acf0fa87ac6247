import OpenAI from 'openai'
import { expect } from 'vitest'
import type { Cluster } from '../../../helpers/cluster.ts'

/** The official client, without its own retries: what the gateway answers is what the test sees. */
export const clientOf = (cluster: Cluster, o: { key?: string } = {}) =>
  new OpenAI({ apiKey: o.key ?? cluster.key, baseURL: `${cluster.url}/v1`, maxRetries: 0 })

/** A key of the admin's with less than all. */
export async function newKey(cluster: Cluster, o: object): Promise<string> {
  const reply = await fetch(`${cluster.url}/api/v1/keys`, {
    method: 'POST',
    headers: { authorization: `Bearer ${cluster.key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'less', ...o }),
  })
  const made = (await reply.json()) as { key: string }
  expect(reply.status, JSON.stringify(made)).toBe(201)
  return made.key
}

export async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = []
  for await (const item of items) list.push(item)
  return list
}

export const ask = (words: string) => [{ role: 'user' as const, content: words }]
