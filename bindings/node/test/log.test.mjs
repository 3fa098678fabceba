import assert from 'node:assert/strict'
import { after, test } from 'node:test'

import { setLog, version } from 'hongyan'

import { hello, start } from './sandbox.mjs'

test('the log has its lines and no message, until it is off', async () => {
  const sandbox = await start()
  const told = []
  await setLog('debug', (level, target, text) => told.push({ level, target, text }))
  after(() => setLog('off'))
  const client = sandbox.open()
  await Promise.all(Array.from({ length: 50 }, (_, i) => client.send(hello(`goose ${i}`))))
  // Its thread writes lines until it ends.
  await client.close()
  await setLog('off')
  assert.deepEqual(told[0], { level: 'info', target: 'hongyan::client', text: `hongyan ${version} is ready` })
  assert.equal(told.filter(({ target }) => target === 'hongyan::send').length, 50)
  assert(told.every(({ level }) => ['error', 'warn', 'info', 'debug'].includes(level)))
  assert(!JSON.stringify(told).includes('goose'))

  const before = told.length
  await sandbox.open().send(hello('hello'))
  assert.equal(told.length, before)
})

test('a level has those before it, and the last function holds', async () => {
  const sandbox = await start()
  const [first, second] = [[], []]
  void setLog('debug', (...line) => first.push(line))
  await setLog('info', (...line) => second.push(line))
  after(() => setLog('off'))
  await sandbox.open().send(hello('hello'))
  await setLog('off')
  assert.deepEqual(first, [])
  assert.deepEqual(second.map(([level]) => level), ['info'])
  await assert.rejects(setLog('loud', () => {}), { name: 'argument' })
})

test('what the function throws is of nobody who sends', async () => {
  const sandbox = await start()
  const thrown = []
  const listeners = process.listeners('uncaughtException')
  process.removeAllListeners('uncaughtException')
  process.on('uncaughtException', (error) => thrown.push(error.message))
  try {
    await setLog('info', () => {
      throw new Error('no room')
    })
    const result = await sandbox.open().send(hello('hello'))
    assert.equal(result.delivery, 'sent')
    await setLog('off')
  } finally {
    process.removeAllListeners('uncaughtException')
    listeners.forEach((listener) => process.on('uncaughtException', listener))
  }
  assert.deepEqual(thrown, ['no room'])
})
