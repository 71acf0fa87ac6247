// The part of undici that runtime/peer.ts uses. The whole package (fetch, WebSocket, caches, mocks) takes 40 ms to load, at every
// start of the CLI; this takes 15. `scripts/build.js` puts it in the place of the package.
import api from 'undici/lib/api/index.js'
import Dispatcher from 'undici/lib/dispatcher/dispatcher.js'
import Pool from 'undici/lib/dispatcher/pool.js'

Object.assign(Dispatcher.prototype, api)

export { Pool }
