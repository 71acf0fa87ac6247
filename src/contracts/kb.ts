import Type, { type Static } from 'typebox'
import { KB_NAME, Passage, Position } from './ask.ts'
import { route } from './route.ts'

const Kb = Type.Object({ kb: Type.String({ pattern: KB_NAME }) })
const DocumentId = Type.String({ minLength: 1, maxLength: 512 })

export const KbInfo = Type.Object({
  name: Type.String(),
  owner: Type.String(),
  shared: Type.Boolean({ description: 'every user of the cluster may read it' }),
  documents: Type.Integer(),
  chunks: Type.Integer(),
  /** Absent: full text only. */
  embedding: Type.Optional(
    Type.Object({ model: Type.String(), digest: Type.String(), dims: Type.Integer() }),
  ),
})
export type KbInfo = Static<typeof KbInfo>

export const KbDocument = Type.Object({
  id: DocumentId,
  title: Type.String(),
  type: Type.String({ description: 'markdown, text, html or pdf' }),
  sha256: Type.String(),
  bytes: Type.Integer(),
  chunks: Type.Integer(),
  added: Type.String(),
})
export type KbDocument = Static<typeof KbDocument>

export const listKbs = route({
  method: 'GET',
  path: '/api/v1/kb',
  says: 'List the knowledge bases that you may read',
  to: 'data',
  scope: 'kb:read',
  replies: { 200: Type.Object({ kbs: Type.Array(KbInfo) }) },
})

export const listDocuments = route({
  method: 'GET',
  path: '/api/v1/kb/:kb/documents',
  says: 'List the documents of a knowledge base',
  to: 'data',
  scope: 'kb:read',
  params: Kb,
  query: Type.Object({
    after: Type.Optional(Type.String()),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000 })),
  }),
  replies: { 200: Type.Object({ documents: Type.Array(KbDocument), next: Type.Optional(Type.String()) }) },
})

export const removeDocument = route({
  method: 'DELETE',
  path: '/api/v1/kb/:kb/documents/*',
  says: 'Remove a document from a knowledge base',
  to: 'data',
  scope: 'kb:write',
  params: Type.Object({ ...Kb.properties, '*': DocumentId }),
  replies: { 200: Type.Object({ removed: DocumentId, chunks: Type.Integer() }) },
})

export const removeKb = route({
  method: 'DELETE',
  path: '/api/v1/kb/:kb',
  says: 'Remove a knowledge base with all its documents',
  to: 'data',
  scope: 'kb:write',
  params: Kb,
  replies: { 200: Type.Object({ removed: Type.String(), documents: Type.Integer() }) },
})

/** Served by llm, which makes the query's vector with the table's own model; data ranks. */
export const searchKb = route({
  method: 'POST',
  path: '/api/v1/kb/search',
  says: 'Find passages: full text always, vectors too where the knowledge base has them',
  to: 'llm',
  scope: 'kb:read',
  body: Type.Object(
    {
      query: Type.String({ minLength: 1, maxLength: 4000 }),
      kb: Type.Optional(Type.Array(Type.String({ pattern: KB_NAME }), { maxItems: 16 })),
      limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 50 })),
    },
    { additionalProperties: false },
  ),
  repeats: 'always',
  replies: {
    200: Type.Object({
      passages: Type.Array(Passage),
      ranking: Type.String({ description: 'text or hybrid' }),
      notes: Type.Array(Type.String()),
    }),
  },
})

/** Which tables a search would read, so that llm can make one vector per embedding model. */
export const kbTables = route({
  method: 'POST',
  path: '/internal/kb/tables',
  says: 'Name the knowledge bases a search would read, with their embedding models',
  to: 'data',
  callers: ['llm', 'executor'],
  body: Type.Object({ kb: Type.Optional(Type.Array(Type.String({ pattern: KB_NAME }))) }),
  replies: { 200: Type.Object({ kbs: Type.Array(KbInfo) }) },
})

export const rankKb = route({
  method: 'POST',
  path: '/internal/kb/search',
  says: 'Rank the passages of knowledge bases for a query and its vectors',
  to: 'data',
  callers: ['llm', 'executor'],
  body: Type.Object({
    query: Type.String({ minLength: 1, maxLength: 4000 }),
    kb: Type.Optional(Type.Array(Type.String({ pattern: KB_NAME }))),
    limit: Type.Integer({ minimum: 1, maximum: 50 }),
    vectors: Type.Optional(
      Type.Record(Type.String(), Type.Array(Type.Number()), { description: 'by embedding model digest' }),
    ),
  }),
  replies: { 200: Type.Object({ passages: Type.Array(Passage), ranking: Type.String() }) },
})

export const Chunk = Type.Object({
  text: Type.String(),
  position: Position,
  vector: Type.Optional(Type.Array(Type.Number())),
})
export type Chunk = Static<typeof Chunk>

/** Replaces the document of that id in one merge. */
export const putDocument = route({
  method: 'POST',
  path: '/internal/kb/:kb/documents',
  says: 'Add or replace a parsed document in a knowledge base',
  to: 'data',
  callers: ['executor', 'llm', 'gateway'],
  params: Kb,
  bodyLimit: 64 * 1024 * 1024,
  body: Type.Object({
    id: DocumentId,
    title: Type.String(),
    type: Type.String(),
    sha256: Type.String(),
    bytes: Type.Integer(),
    shared: Type.Optional(Type.Boolean()),
    embedding: Type.Optional(
      Type.Object({ model: Type.String(), digest: Type.String(), dims: Type.Integer() }),
    ),
    chunks: Type.Array(Chunk),
  }),
  replies: { 201: Type.Object({ chunks: Type.Integer(), unchanged: Type.Boolean() }) },
})

/** For whoever mirrors a folder into a knowledge base: ends what the folder no longer holds. */
export const keepDocuments = route({
  method: 'POST',
  path: '/internal/kb/:kb/keep',
  says: 'Remove all documents of a knowledge base but those named',
  to: 'data',
  callers: ['executor'],
  params: Kb,
  body: Type.Object({ ids: Type.Array(DocumentId, { maxItems: 100_000 }) }),
  replies: { 200: Type.Object({ removed: Type.Array(DocumentId) }) },
})
