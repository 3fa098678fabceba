// The types as a CommonJS module sees them.
import hongyan = require('hongyan')

const client = new hongyan.Client('{"v": 1, "accounts": {}}')
const sent: Promise<hongyan.Result> = client.send({ account: 'ops', text: 'hello' })
sent.catch((error: unknown) => error instanceof hongyan.HongyanError && error.delivery)
