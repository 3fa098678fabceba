// Sends by push-all-in-one, once for each line of standard input, and says what it told: as worker.py.

import dns from 'node:dns'
import http from 'node:http'
import https from 'node:https'
import { createRequire } from 'node:module'
import { createInterface } from 'node:readline'
import tls from 'node:tls'

const [packages, port] = process.argv.slice(2)
const require = createRequire(`${packages}/package.json`)
const TEXT = 'hello'

// What an agent has set overrules what a request says: every connection goes to the server of the cases,
// TLS's name and the Host field stay those of the service.
for (const agent of [http.globalAgent, https.globalAgent]) {
    Object.assign(agent.options, { host: '127.0.0.1', port: Number(port), keepAlive: false })
    agent.keepAlive = false
}
// The same for mail: every name is this machine's, and every port the server's.
dns.Resolver.prototype.resolve4 = (_, done) => done(null, ['127.0.0.1'])
const { connect } = tls
tls.connect = (options, ...more) => connect({ ...options, host: '127.0.0.1', port: Number(port) }, ...more)
// What a peer prints must not stand between the answers.
const write = process.stdout.write.bind(process.stdout)
process.stdout.write = process.stderr.write.bind(process.stderr)

const { PushAllInOne } = require('push-all-in-one')
const { isAxiosError } = require('axios')

async function told([kind, config, option]) {
    try {
        const { status } = await new PushAllInOne[kind](config).send(TEXT, '', option)
        // As the package reads an answer where it does so itself (runPushAllInCloud).
        return { said: status && status < 400 ? 'success' : 'failure', words: `status ${status}` }
    } catch (error) {
        // A promise says failure by rejecting with the error of the request, or of the mail's step; any other is a
        // mistake in a program.
        const is_told = isAxiosError(error) || error.command !== undefined
        return { said: is_told ? 'failure' : 'raised', words: String(error) }
    }
}

for await (const line of createInterface({ input: process.stdin })) {
    write(`${JSON.stringify(await told(JSON.parse(line).how))}\n`)
}
