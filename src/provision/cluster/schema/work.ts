import * as f from './fields.ts'

export const model = f.block('one model', {
  name: f.text('as Ollama names it, such as llama3.3:70b', {
    pattern: '^[a-zA-Z0-9][a-zA-Z0-9._:/-]{0,199}$',
    must: 'the name of a model such as llama3.3:70b',
  }),
  replicas: f.byDefault(1, f.whole('worker nodes that hold it', { from: 1, to: 1000 })),
  on: f.optional(f.selector('which worker nodes; without it, any')),
  pin: f.byDefault(false, f.yesNo('stays in memory also when nobody asks')),
})

export const scale = f.block('how far `scale` may go by itself', {
  worker: f.optional(f.range('fewest and most workers')),
  order: f.byDefault(
    [],
    f.listOf('values of labels: nodes that come first when more are wanted', f.text('a value of a label')),
  ),
})
