// A sandbox of the command in HONGYAN, which plays the services.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { after } from 'node:test'

import { Client } from 'hongyan'

assert(process.env.HONGYAN, 'HONGYAN names no command: see tools/test-node')

/** Starts one that ends with the test. */
export async function start() {
  const child = spawn(process.env.HONGYAN, ['sandbox', '--port', '0', '--json'], { stdio: ['ignore', 'pipe', 'ignore'] })
  const [line] = await once(createInterface(child.stdout), 'line')
  const { url } = JSON.parse(line)
  const sandbox = {
    url,
    stop: () => child.kill('SIGKILL'),
    /** Asks the sandbox itself, for instance `POST /_/faults`. */
    async ask(what, body) {
      const [method, path] = what.split(' ')
      const answer = await fetch(url + path, { method, body: body && JSON.stringify(body) })
      const text = await answer.text()
      assert(answer.ok, `${what}: ${answer.status}: ${text}`)
      return text && JSON.parse(text)
    },
    /** The next requests to Fanfou are held until they are released. */
    hold: (times) => sandbox.ask('POST /_/faults', { service: 'fanfou', kind: 'hold', times }),
    held: (count) => sandbox.ask(`GET /_/held?count=${count}`),
    release: () => sandbox.ask('POST /_/release'),
    seen: () => sandbox.ask('GET /_/seen'),
    /** A configuration with an account of Fanfou, "ff", and a webhook, "hook". */
    config: (more) => ({
      accounts: {
        ff: {
          service: 'fanfou',
          base_url: `${url}/fanfou`,
          auth: { type: 'basic', username: 'test', password: 'pwd' },
          rate: null,
          max_in_flight: 20000
        },
        hook: {
          service: 'webhook',
          base_url: `${url}/webhook`,
          url: 'https://hooks.example.com/in/plain?key=goose-4711',
          auth: { type: 'none' },
          success: { pointer: '/taken', equals: true },
          message_id: '/id'
        }
      },
      max_in_flight: 20000,
      retry: { max_attempts: 1 },
      ...more
    }),
    /** A client that is closed when the test ends. */
    open(more) {
      const client = new Client(sandbox.config(more))
      clients.push(client)
      return client
    }
  }
  const clients = []
  after(async () => {
    for (const client of clients) await client.close(0)
    sandbox.stop()
  })
  return sandbox
}

export const hello = (text, more) => ({ account: 'ff', to: { user: 'lisztli' }, text, ...more })

/** A time that does not come. */
export const LATER = 4102444800000
