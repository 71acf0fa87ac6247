let waiting: (() => void)[] = []

/** Runs `work` behind what this turn of the event loop still has to send: figures, logs and news that no answer needs to wait for. */
export function behind(work: () => void): void {
  if (waiting.push(work) === 1) setImmediate(runAll)
}

function runAll(): void {
  const all = waiting
  waiting = []
  for (const work of all) work()
}
