import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { buffer } from 'node:stream/consumers'
import { putDocument, rankKb, removeDocument } from '../../../src/contracts/kb.ts'
import { getObject, putObject } from '../../../src/contracts/objects.ts'
import { createRecord, getRecord } from '../../../src/contracts/store.ts'
import type { Calls } from '../../../src/runtime/transport.ts'
import { markdownDocument } from '../../runtime/services/data/kb/documents.ts'
import { hopOf } from '../../runtime/services/data/service.ts'
import { callsTo, type Instance } from './instance.ts'

export const digest = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')

/** The status that a create ended with. */
export async function createdAt(calls: Calls, name: string, text: string): Promise<number> {
  const upload = Buffer.from(text)
  return (await calls.raw(createRecord, hopOf(undefined, 120_000), { params: { '*': name }, upload })).status
}

export async function recordAt(calls: Calls, name: string): Promise<string> {
  return (await calls.raw(getRecord, hopOf(), { params: { '*': name } })).body.text()
}

export const TURN = {
  ...{ saw: 0, at: '2026-01-01T00:00:00Z', question: 'q', answer: 'a', sources: [], window: [] },
  ...{ engine: 'extractive', model: 'm', usage: { promptTokens: 0, completionTokens: 0 } },
}

/** Objects of ann. */
export function objectsOf(calls: Calls) {
  return {
    put: (name: string, upload: Buffer, query: { replace?: boolean } = {}, deadlineMs = 120_000) =>
      calls.call(putObject, hopOf('ann', deadlineMs), {
        params: { '*': name },
        query: { ...query, sha256: digest(upload) },
        upload,
        headers: { 'content-type': 'application/octet-stream' },
      }),
    async get(name: string, version?: number) {
      const reply = await calls.raw(getObject, hopOf('ann', 60_000), {
        params: { '*': name },
        query: { version },
      })
      return buffer(reply.body)
    },
  }
}

/** A knowledge base of ann's, through one instance. */
export function knowledgeOf(instance: Instance) {
  const params = { kb: 'notes' }
  const [executor, gateway] = [callsTo([instance], 'executor'), callsTo([instance], 'gateway')]
  return {
    put: async (id: string, words: string) =>
      executor.call(putDocument, hopOf('ann', 60_000), { params, body: await markdownDocument(id, words) }),
    remove: (id: string) => gateway.call(removeDocument, hopOf('ann'), { params: { kb: 'notes', '*': id } }),
    async found(query: string) {
      const body = { query, kb: ['notes'], limit: 5 }
      return (await executor.call(rankKb, hopOf('ann'), { body })).passages.map(p => p.document)
    },
  }
}

/** The most memory that a process ever held. */
export const peakMib = (pid: number) =>
  Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) / 1024
