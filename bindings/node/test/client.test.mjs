import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { inspect } from 'node:util'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

import { Client, HongyanError, services, version } from 'hongyan'

import { LATER, hello, start } from './sandbox.mjs'

setFlagsFromString('--expose-gc')
const gc = runInNewContext('gc')

/** What a promise is rejected with. */
const rejected = (promise) =>
  promise.then(
    (result) => assert.fail(`it was sent: ${result}`),
    (error) => {
      assert(error instanceof HongyanError, error)
      return error
    }
  )

/** The threads of this process by name. */
const threads = () =>
  readdirSync('/proc/self/task').flatMap((task) => {
    try {
      return [readFileSync(`/proc/self/task/${task}/comm`, 'utf8').trim()]
    } catch {
      return [] // it has ended
    }
  })

const ours = () => threads().filter((name) => name.startsWith('hy-')).length

/** Runs a program beside this one; `client` is a client of the sandbox. */
function program(sandbox, code) {
  const whole = `import { Client } from 'hongyan'
    const client = new Client(process.argv[1])
    const hello = (text, more) => ({ account: 'ff', to: { user: 'lisztli' }, text, ...more })
    ;${code}`
  const config = JSON.stringify({ v: 1, ...sandbox.config() })
  const args = ['--input-type=module', '-e', whole, config]
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: import.meta.dirname, encoding: 'utf8', timeout: 300_000 })
  return { status, stdout, stderr }
}

test('a result, and an error', async () => {
  const sandbox = await start()
  const client = sandbox.open()
  const result = await client.send(hello('hello'))
  assert.equal(result.delivery, 'sent')
  assert.equal(result.account, 'ff')
  assert.equal(result.service, 'fanfou')
  assert.equal(result.attempts, 1)
  assert.equal(result.id.length, 26)
  assert.equal(result.error, null)
  assert.equal(result.earlier_run, false)
  assert.equal(result.raw.id, result.message_id)
  assert.deepEqual(JSON.parse(`${result}`).raw, result.raw)
  assert.equal(JSON.parse(JSON.stringify(result)).id, result.id)
  assert.match(inspect(result), /^Result \{.*delivery: 'sent'/s)

  const error = await rejected(client.send(hello('hello', { to: { user: 'nobody' } })))
  assert.equal(error.name, 'not_found')
  assert.equal(error.code, 202)
  assert.equal(error.http_status, 404)
  assert.equal(error.retryable, false)
  assert.equal(error.delivery, 'not_sent')
  assert.equal(error.result.error.name, 'not_found')
  assert.match(String(error), /^not_found: ./)
})

test('500 at once take no thread each', async () => {
  const sandbox = await start()
  const client = sandbox.open()
  await sandbox.hold(1)
  const sends = Array.from({ length: 500 }, (_, i) => client.send(hello(`message ${i}`)))
  await sandbox.held(1)
  assert(threads().length < 40, `${threads()}`)
  await sandbox.release()
  const results = await Promise.all(sends)
  assert.equal(new Set(results.map((result) => result.id)).size, 500)
  const { messages } = await sandbox.seen()
  assert.equal(new Set(messages.map(({ text }) => text)).size, 500)
})

test('queues', async () => {
  const sandbox = await start()
  const client = sandbox.open()
  const queues = [client.queue(), client.newQueue()]
  assert.equal(client.queue(), queues[0])
  for (const queue of queues) {
    const tokens = new Map()
    for (let token = 0; token < 50; token++) {
      tokens.set((await queue.submit(hello(`message ${token}`), { token })).id, token)
    }
    for await (const result of queue) {
      assert.equal(result.token, tokens.get(result.id))
      assert.equal(result.delivery, 'sent')
      queue.ack(result)
      tokens.delete(result.id)
      if (tokens.size === 0) break
    }
    await queue.submit(hello('never', { not_before_ms: LATER }))
  }
  const readers = queues.map(async (queue) => {
    const results = []
    for await (const result of queue) results.push(result)
    return results
  })
  assert.equal(await client.close(0), 2)
  for (const results of await Promise.all(readers)) {
    assert.deepEqual(results.map((result) => [result.delivery, result.error.name]), [['not_sent', 'cancelled']])
  }
  for (const queue of queues) {
    assert.equal(await queue.next(), undefined)
    assert.equal((await rejected(queue.submit(hello('late')))).name, 'closed')
  }
  assert.throws(() => client.newQueue(), { name: 'closed' })
})

test('a queue that is closed lets its sends go on', async () => {
  const sandbox = await start()
  const client = sandbox.open()
  const queue = client.newQueue()
  const reader = client.newQueue().next()
  await sandbox.hold(1)
  for (let i = 0; i < 100; i++) await queue.submit(hello(`message ${i}`))
  const end = queue.next()
  queue.close()
  queue.close()
  assert.equal(await end, undefined)
  assert.equal((await rejected(queue.submit(hello('late')))).name, 'closed')
  await sandbox.release()
  assert.equal(await client.flush(), 0)
  assert.equal((await sandbox.seen()).requests, 100)
  await client.close()
  assert.equal(await reader, undefined)
})

test('close while sends are pending', async () => {
  const sandbox = await start()
  const client = sandbox.open()
  await sandbox.hold(1)
  const sends = [rejected(client.send(hello('under way')))]
  await sandbox.held(1)
  for (let i = 0; i < 20; i++) sends.push(rejected(client.send(hello('never', { not_before_ms: LATER }))))
  assert.equal(client.stats().unfinished, 21)
  assert.equal(await client.close(0), 21)
  const errors = await Promise.all(sends)
  assert.deepEqual(new Set(errors.map((error) => error.name)), new Set(['cancelled']))
  assert.deepEqual(errors.map((error) => error.delivery), ['maybe_sent', ...Array(20).fill('not_sent')])
  const late = await rejected(client.send(hello('late')))
  assert.equal(late.name, 'closed')
  assert.equal(late.result, null)
  assert.equal(await client.close(), 0)
})

test('close waits for what is under way', async () => {
  const sandbox = await start()
  const client = sandbox.open()
  await sandbox.hold(1)
  const sent = client.send(hello('under way'))
  await sandbox.held(1)
  const closed = client.close(-1)
  await sandbox.release()
  assert.equal((await sent).delivery, 'sent')
  assert.equal(await closed, 0)
})

test('a client that is full', async () => {
  const sandbox = await start()
  const { accounts } = sandbox.config()
  const client = sandbox.open({ accounts: { ff: accounts.ff }, max_in_flight: 1 })
  const queue = client.queue()
  const op = await queue.submit(hello('never', { not_before_ms: LATER }))
  const full = await rejected(client.send(hello('too many')))
  assert.equal(full.name, 'full')
  assert.equal(full.code, 7)
  assert.equal(full.retryable, true)
  assert.equal(full.result, null)
  assert.equal((await rejected(queue.submit(hello('too many')))).name, 'full')
  op.cancel()
  assert.equal((await queue.next()).error.name, 'cancelled')
  assert.equal((await client.send(hello('room again'))).delivery, 'sent')
})

test('a signal', async () => {
  const sandbox = await start()
  const client = sandbox.open()
  const controller = new AbortController()
  await sandbox.hold(1)
  const { signal } = controller
  // Under way: nobody can know.
  const send = rejected(client.send(hello('under way'), { signal }))
  await sandbox.held(1)
  controller.abort(new Error('enough'))
  let error = await send
  assert.equal(error.name, 'cancelled')
  assert.equal(error.delivery, 'maybe_sent')
  assert.equal(error.cause.message, 'enough')
  // Aborted before: it was not accepted.
  error = await rejected(client.send(hello('too late'), { signal }))
  assert.equal(error.name, 'cancelled')
  assert.equal(error.result, null)
  assert.equal(error.cause.message, 'enough')
  // Not begun: nothing was sent.
  error = await rejected(client.send(hello('never', { not_before_ms: LATER }), { signal: AbortSignal.timeout(1) }))
  assert.equal(error.name, 'cancelled')
  assert.equal(error.delivery, 'not_sent')
  assert.equal(error.cause.name, 'TimeoutError')
  assert.equal((await sandbox.seen()).requests, 1)
  // One for many, which is no leak.
  const all = new AbortController()
  const warned = []
  const warn = (warning) => warned.push(warning)
  process.on('warning', warn)
  const more = { signal: all.signal }
  const sends = Array.from({ length: 50 }, () => rejected(client.send(hello('never', { not_before_ms: LATER }), more)))
  await client.send(hello('hello'), more)
  all.abort()
  for (const error of await Promise.all(sends)) assert.equal(error.cause, all.signal.reason)
  process.off('warning', warn)
  assert.deepEqual(warned, [])
  // One that is never aborted.
  const result = await client.send(hello('hello'), { signal: new AbortController().signal })
  assert.equal(result.delivery, 'sent')
})

test('a time-out', async () => {
  const sandbox = await start()
  const client = sandbox.open()
  for (const timeout_ms of [0, 20]) {
    const error = await rejected(client.send(hello('never', { not_before_ms: LATER }), { timeout_ms }))
    assert.equal(error.name, 'timeout')
    assert.equal(error.delivery, 'not_sent')
    assert.equal(error.result.deadline, true)
  }
})

test('text arrives as it is', async () => {
  const sandbox = await start()
  const client = sandbox.open()
  const text = 'a\0b 🪿 👩‍👩‍👧 鸿雁 <&> \\u0000 \ufffd'
  await client.send({ account: 'hook', text })
  assert.equal((await sandbox.seen()).messages[0].text, text)
  assert.match(JSON.stringify(client.preview({ account: 'hook', text: '🪿' })), /🪿/)
  const result = await client.send({ account: 'hook', text: '👋', key: 'k\0🪿' })
  assert.equal(result.key, 'k\0🪿')
  for (const message of ['{"v": 1, "text": "\ud800"}', hello('\ud800'), undefined, 7]) {
    assert.equal((await rejected(client.send(message))).name, 'argument')
  }
})

test('two clients', async () => {
  const sandbox = await start()
  const [one, two] = [sandbox.open(), sandbox.open()]
  await one.close()
  assert.equal((await rejected(one.send(hello('one')))).name, 'closed')
  assert.equal((await two.send(hello('two'))).delivery, 'sent')
})

test('a client that nobody holds is collected with its queues', async () => {
  const sandbox = await start()
  const before = ours()
  await (async () => {
    const client = new Client(sandbox.config())
    await client.send(hello('hello'))
    for (const queue of [client.queue(), client.newQueue()]) {
      await queue.submit(hello('hello'))
      await queue.next()
    }
    assert(ours() > before)
  })()
  while (ours() > before) {
    gc()
    await new Promise(setImmediate)
  }
})

test('a client that nobody holds ends its sends first', async () => {
  const sandbox = await start()
  await sandbox.hold(1)
  await new Client(sandbox.config()).newQueue().submit(hello('hello'))
  await sandbox.held(1)
  for (let i = 0; i < 10; i++) {
    gc()
    await new Promise(setImmediate)
  }
  await sandbox.release()
  while ((await sandbox.seen()).messages.length === 0) gc()
})

test('the outbox', async () => {
  const sandbox = await start()
  const folder = mkdtempSync(join(tmpdir(), 'hongyan-'))
  try {
    const more = { outbox: { path: join(folder, 'outbox.db') } }
    const client = sandbox.open(more)
    const queue = client.queue()
    // Each is accepted in its turn, and the event loop goes on meanwhile.
    const ops = await Promise.all([0, 1, 2].map((i) => queue.submit(hello(`kept ${i}`, { ordered: true }))))
    const ids = new Set(ops.map((op) => op.id))
    assert.equal(ids.size, 3)
    const first = await queue.next()
    assert(ids.delete(first.id))
    queue.ack(first)
    assert.equal(await client.close(-1), 0)
    assert.deepEqual((await sandbox.seen()).messages.map(({ text }) => text), ['kept 0', 'kept 1', 'kept 2'])
    assert.equal((await rejected(queue.submit(hello('late')))).name, 'closed')
    // It gives its file free: what nobody acknowledged comes again.
    queue.close()
    const again = sandbox.open(more)
    for (let left = 2; left > 0; left--) {
      const result = await again.queue().next()
      assert(ids.delete(result.id))
      assert.equal(result.earlier_run, true)
      assert.equal(result.delivery, 'sent')
      again.queue().ack(result)
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('accounts', async () => {
  const sandbox = await start()
  const client = sandbox.open()
  client.setAccount('more', sandbox.config().accounts.ff)
  assert.equal((await client.send(hello('hello', { account: 'more' }))).account, 'more')
  await client.checkAccount('ff').catch((error) => assert.equal(error.name, 'unsupported'))
  assert.equal((await rejected(client.checkAccount('nobody'))).name, 'config')
  const preview = JSON.stringify(client.preview(hello('hello')))
  assert(preview.includes('/fanfou/') && !preview.includes('pwd'), preview)
  client.removeAccount('more')
  assert.equal((await rejected(client.send(hello('hello', { account: 'more' })))).name, 'message')
  assert.throws(() => new Client({ accounts: { a: { service: 'fanfu' } } }), { name: 'config', path: 'accounts.a.service' })
  assert.throws(() => new Client(undefined), { name: 'config' })
  assert(services().services.some(({ name }) => name === 'fanfou'))
  assert.match(version, /^\d+\.\d+\.\d+$/)
})

test('a process ends once nothing is pending, and not before', async () => {
  const sandbox = await start()
  // Nothing was sent.
  assert.deepEqual(program(sandbox, 'client.queue()'), { status: 0, stdout: '', stderr: '' })
  // A result is to come, and nothing else keeps the process.
  const send = "client.send(hello('hello')).then((result) => console.log(result.delivery))"
  assert.deepEqual(program(sandbox, send), { status: 0, stdout: 'sent\n', stderr: '' })
  // Nobody looks at the result, and it is sent all the same.
  const submit = "client.queue().submit(hello('unseen', { not_before_ms: Date.now() + 100 }))"
  assert.deepEqual(program(sandbox, submit), { status: 0, stdout: '', stderr: '' })
  const closed = `const queue = client.queue(); await queue.submit(hello('closed', { not_before_ms: Date.now() + 100 }))
    queue.close()`
  assert.deepEqual(program(sandbox, closed), { status: 0, stdout: '', stderr: '' })
  // The end of a queue is seen.
  const end = "(async () => { for await (const r of client.queue()); console.log('end') })(); client.close()"
  assert.deepEqual(program(sandbox, end), { status: 0, stdout: 'end\n', stderr: '' })
  const { messages } = await sandbox.seen()
  assert.deepEqual(messages.map(({ text }) => text), ['hello', 'unseen', 'closed'])
})

test('CommonJS', async () => {
  const hongyan = createRequire(import.meta.url)('hongyan')
  assert.equal(hongyan.Client, Client)
  const sandbox = await start()
  const client = new hongyan.Client(JSON.stringify({ v: 1, ...sandbox.config() }))
  assert.equal((await client.send(hello('hello'))).delivery, 'sent')
  await client[Symbol.asyncDispose]()
  assert.equal((await rejected(client.send(hello('late')))).name, 'closed')
})

test('the JavaScript of the documents runs as it stands there', async () => {
  const sandbox = await start()
  const folder = mkdtempSync(join(tmpdir(), 'hongyan-'))
  try {
    const auth = { type: 'bot', token: '110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw' }
    const ops = { service: 'telegram', base_url: `${sandbox.url}/telegram`, auth }
    writeFileSync(join(folder, 'hongyan.json'), JSON.stringify({ v: 1, accounts: { ops } }))
    for (const name of ['../../../README.md', '../README.md']) {
      const blocks = readFileSync(new URL(name, import.meta.url), 'utf8').split('\n```js\n').slice(1)
      assert(blocks.length > 0, `${name} has no JavaScript`)
      for (const block of blocks) {
        const package_ = JSON.stringify(new URL('../index.js', import.meta.url).href)
        const code = block.split('\n```')[0].replace("'hongyan'", package_)
        const args = ['--input-type=module', '-e', code]
        const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: folder, encoding: 'utf8', timeout: 300_000 })
        assert.match(stdout, /^sent \d+\n/, stderr)
        assert.equal(status, 0)
      }
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
})
