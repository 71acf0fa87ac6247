import { onTestFinished } from 'vitest'
import { openEmbedded } from '../../../../../src/runtime/services/data/store/embedded.ts'
import { memoryStore } from '../../../../helpers/memory-store.ts'
import { tempFolder } from '../../../../helpers/temp.ts'
import { storeContract } from './contract.ts'

storeContract('the memory store', async () => memoryStore())
storeContract('the memory store that is used as one that is far', async () =>
  memoryStore({ inlineBytes: 4096 }),
)

storeContract('the embedded store', async () => {
  const store = await openEmbedded(tempFolder())
  onTestFinished(() => store.close())
  return store
})
