import { expect, test } from 'vitest'
import { encoded, queryOf, signed } from '../../../../../src/runtime/services/data/store/s3/signature.ts'
import { Secret } from '../../../../../src/secret.ts'

/** The examples that AWS publishes for signature version 4 of S3. */
const signer = {
  accessKey: 'AKIAIOSFODNN7EXAMPLE',
  secretKey: new Secret('wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY'),
  region: 'us-east-1',
}
const host = 'examplebucket.s3.amazonaws.com'
const now = new Date('2013-05-24T00:00:00Z')
const NOTHING = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'

test.each([
  [
    'f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41',
    { method: 'GET', path: '/test.txt', headers: { host, range: 'bytes=0-9' }, payload: NOTHING },
  ],
  [
    '98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd',
    {
      method: 'PUT',
      path: `/${encoded('test$file.text')}`,
      headers: { host, date: 'Fri, 24 May 2013 00:00:00 GMT', 'x-amz-storage-class': 'REDUCED_REDUNDANCY' },
      payload: '44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072',
    },
  ],
  [
    '34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7',
    {
      method: 'GET',
      path: '/',
      query: { prefix: 'J', 'max-keys': '2' },
      headers: { host },
      payload: NOTHING,
    },
  ],
])('a request is signed as AWS says: %s', (signature, request) => {
  const { authorization } = signed(request, signer, now)
  expect(authorization).toContain(`Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request`)
  expect(authorization).toMatch(new RegExp(`Signature=${signature}$`))
})

test('names and values are encoded as the other side will read them', () => {
  expect(encoded("a b!'()*~+/é")).toBe('a%20b%21%27%28%29%2A~%2B%2F%C3%A9')
  expect(queryOf({ uploadId: '2~a/b', partNumber: '1' })).toBe('partNumber=1&uploadId=2~a%2Fb')
})
