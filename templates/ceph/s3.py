# Speaks S3 to the gateways, as those who have a key there. Arguments: ask, make, or check, which also asks whether buckets are versioned; the file of the CA; then words: gateway NAME HOST PORT,
# user NAME FILE-OF-ITS-KEY, bucket NAME (of the user before it).
import datetime, hashlib, hmac, http.client, json, re, ssl, sys, threading

mode, ca, words = sys.argv[1], sys.argv[2], sys.argv[3:]
gateways, users = [], []
while words:
    kind, words = words[0], words[1:]
    if kind == 'gateway':
        gateways.append(words[:3])
        words = words[3:]
    elif kind == 'user':
        users.append((words[0], words[1], []))
        words = words[2:]
    else:
        users[-1][2].append(words[0])
        words = words[1:]
context = ssl.create_default_context(cafile=ca)
EMPTY = hashlib.sha256(b'').hexdigest()


def signed(method, host, path, query, access, secret):
    now = datetime.datetime.now(datetime.timezone.utc).strftime('%Y%m%dT%H%M%SZ')
    scope = now[:8] + '/us-east-1/s3/aws4_request'
    names = 'host;x-amz-content-sha256;x-amz-date'
    request = '\n'.join([method, path, query and query + '=', 'host:' + host, 'x-amz-content-sha256:' + EMPTY, 'x-amz-date:' + now, '', names, EMPTY])
    text = '\n'.join(['AWS4-HMAC-SHA256', now, scope, hashlib.sha256(request.encode()).hexdigest()])
    key = ('AWS4' + secret).encode()
    for part in scope.split('/'):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    signature = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
    head = 'AWS4-HMAC-SHA256 Credential=%s/%s, SignedHeaders=%s, Signature=%s' % (access, scope, names, signature)
    return {'Host': host, 'x-amz-date': now, 'x-amz-content-sha256': EMPTY, 'Authorization': head}


def call(gateway, method, path, access=None, secret=None, query=''):
    """Status and body; a status of 0 means that there was none, and the body says why."""
    name, host, port = gateway
    connection = http.client.HTTPSConnection(host, int(port), timeout=8, context=context)
    at = '%s:%s' % (host, port)
    try:
        headers = signed(method, at, path, query, access, secret) if access else {'Host': at}
        connection.request(method, path + (query and '?' + query), headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.read(4096).decode('utf-8', 'replace')
    except (OSError, http.client.HTTPException) as e:
        return 0, str(e) or type(e).__name__
    finally:
        connection.close()


told = {'gateways': {}, 'buckets': {}, 'versioned': {}}


def look(gateway):
    status, body = call(gateway, 'GET', '/')
    fine = status == 200 and 'ListAllMyBucketsResult' in body
    told['gateways'][gateway[0]] = 'up' if fine else (body if status == 0 else 'it answers %d' % status)


threads = [threading.Thread(target=look, args=(one,)) for one in gateways]
for one in threads:
    one.start()
for one in threads:
    one.join()
up = [one for one in gateways if told['gateways'][one[0]] == 'up']
if mode == 'make' and not up:
    sys.exit('no gateway answers: ' + json.dumps(told['gateways']))
for access, path, buckets in users:
    try:
        secret = open(path).read().strip()
    except FileNotFoundError:
        continue
    for bucket in buckets:
        if not up:
            continue
        if mode == 'make':
            status, body = call(up[0], 'PUT', '/' + bucket, access, secret)
            if status != 200:
                sys.exit('the gateway refused to make the bucket %s: %d %s' % (bucket, status, body))
        told['buckets'][bucket] = call(up[0], 'HEAD', '/' + bucket, access, secret)[0]
        if mode == 'check' and told['buckets'][bucket] == 200:
            status, body = call(up[0], 'GET', '/' + bucket, access, secret, query='versioning')
            found = re.search('<Status>([A-Za-z]+)</Status>', body)
            told['versioned'][bucket] = (found.group(1) if found else 'no') if status == 200 else 'it answers %d' % status
print(json.dumps(told))
