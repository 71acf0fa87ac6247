import { CA_FILE } from '../../../secrets/authority.ts'

/** For python3: exits 0 when the gateway at HOST PORT answers somebody without a name. */
export const ANSWERS = `import http.client, ssl, sys
host, port = sys.argv[1:]
try:
    context = ssl.create_default_context(cafile='${CA_FILE}')
    connection = http.client.HTTPSConnection(host, int(port), timeout=8, context=context)
    connection.request('GET', '/')
    answer = connection.getresponse()
except (OSError, http.client.HTTPException) as e:
    sys.exit('%s:%s: %s' % (host, port, e))
if answer.status != 200:
    sys.exit('%s:%s answers %d' % (host, port, answer.status))`
