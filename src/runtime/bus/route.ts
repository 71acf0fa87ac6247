/** What work is for; a worker may want all of a kind, of a model, or what is meant for itself. */
export interface Work {
  kind?: string
  model?: string
  worker?: string
}

/** The topic under which work is published: one word each, for names of models hold dots and colons. */
export function workTopic(work: Work): string {
  return topic(work, '-')
}

/** The pattern of a queue that takes such work; what is left out may be anything. */
export function workPattern(work: Work): string {
  return topic(work, '*')
}

function topic({ kind, model, worker }: Work, other: string): string {
  const words = [kind, model, worker].map(part => (part === undefined ? other : word(part)))
  return ['work', ...words].join('.')
}

/** Without what a topic or a pattern would read as something else. */
function word(text: string): string {
  return encodeURIComponent(text).replace(/[.*-]/g, c => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)
}
