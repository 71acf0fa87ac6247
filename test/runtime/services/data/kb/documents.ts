import { createHash } from 'node:crypto'
import type { putDocument } from '../../../../../src/contracts/kb.ts'
import type { BodyOf } from '../../../../../src/contracts/route.ts'
import { parse } from '../../../../../src/runtime/kinds/ingest/parse.ts'

type Body = BodyOf<typeof putDocument>

/** A document of Markdown as the ingest kind would put it. */
export async function markdownDocument(id: string, text: string): Promise<Body> {
  return { ...(await parse(Buffer.from(text), id)), id }
}

/** A document with given vectors, one a chunk. */
export function vectorDocument(
  id: string,
  o: { digest: string; chunks: { text: string; vector: number[] }[] },
): Body {
  return {
    id,
    title: id,
    type: 'text',
    sha256: createHash('sha256').update(JSON.stringify(o.chunks)).digest('hex'),
    bytes: 1,
    embedding: { model: `model-${o.digest}`, digest: o.digest, dims: o.chunks[0]!.vector.length },
    chunks: o.chunks.map(c => ({ ...c, position: { line: 1 } })),
  }
}

export const NODES = `# Nodes

A node is a machine of the cluster.

## Add a node

Write the node into cluster.yaml under \`nodes\`, then run:

\`\`\`sh
llmagentos cluster up
\`\`\`

It installs what is missing and nothing else.

## Remove a node

Run \`llmagentos node remove NAME\`. Its data moves first.
`

export const KEYS = `# Keys

How do I do it? What is it that I do with a key? A key is how programs prove who they are.

## Create a key

Run \`llmagentos key create\`. Its text is shown once.
`
