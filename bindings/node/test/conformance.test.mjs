// Runs the cases that every language runs: see tests/conformance/README.md.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'

import { Client, HongyanError } from 'hongyan'

import { start } from './sandbox.mjs'

const read = (name) => readFileSync(new URL(`../../../tests/conformance/${name}.json`, import.meta.url), 'utf8')

/** Whether what was found is what is expected. */
function fits(expect, found) {
  if (Array.isArray(expect)) {
    return Array.isArray(found) && found.length === expect.length && expect.every((one, i) => fits(one, found[i]))
  }
  if (expect !== null && typeof expect === 'object') {
    if (found === null || typeof found !== 'object' || Array.isArray(found)) return false
    return Object.keys(expect).every((name) => Object.hasOwn(found, name) && fits(expect[name], found[name]))
  }
  if (expect === '{string}') return typeof found === 'string' && found !== ''
  if (expect === '{number}') return typeof found === 'number'
  return expect === found
}

const same = (expect, found) =>
  assert(fits(expect, found), `expected ${JSON.stringify(expect)}, found ${JSON.stringify(found)}`)

/** What the result says is what its JSON says, and is as expected. */
function told(expect, result) {
  const json = JSON.parse(`${result}`)
  for (const name of Object.keys(json)) same({ [name]: json[name] }, { [name]: result[name] })
  same(expect, json)
}

/** The call fails with this error, and there is no result. */
async function fails(error, call) {
  const found = await call().then(() => null, (found) => found)
  assert(found instanceof HongyanError, `no error, but ${found}`)
  assert.equal(found.result, null)
  same(error, { ...found, message: found.message })
}

/** What each step does, by its members. */
const STEPS = {
  async sandbox(runner, { do: what, body, expect }) {
    const found = await runner.sandbox.ask(what, body)
    if (expect !== undefined) same(expect, found)
  },
  open: (_, { config, error }) => fails(error, async () => new Client(JSON.stringify(config))),
  async send(runner, { message, json, timeout_ms, expect, error }) {
    const call = () => runner.client.send(json ?? message, timeout_ms === undefined ? {} : { timeout_ms })
    if (error) return fails(error, call)
    const settled = await call().then(
      (result) => ({ result, sent: true }),
      (error) => ({ result: error.result, sent: false, error })
    )
    assert(settled.result, settled.error)
    assert.equal(settled.sent, settled.result.delivery === 'sent')
    told(expect, settled.result)
  },
  async submit(runner, { as, message, json, timeout_ms, error }) {
    const call = () => runner.queue.submit(json ?? message, timeout_ms === undefined ? {} : { timeout_ms })
    if (error) return fails(error, call)
    const op = await call()
    runner.ops.set(as, op)
    runner.names.set(op.id, as)
  },
  async result(runner, { of, expect }) {
    while (!runner.found.has(of)) {
      const result = await runner.queue.next()
      assert(result, 'the queue has ended')
      const name = runner.names.get(result.id)
      assert(name, `nobody submitted this, or it came twice: ${result}`)
      runner.names.delete(result.id)
      runner.found.set(name, result)
    }
    told(expect, runner.found.get(of))
    runner.found.delete(of)
  },
  cancel: (runner, { of }) => runner.ops.get(of).cancel(),
  async close(runner, { timeout_ms, unfinished }) {
    assert.equal(await runner.client.close(timeout_ms ?? -1), unfinished)
  },
  async end(runner) {
    assert.equal(runner.found.size, 0)
    assert.equal(await runner.queue.next(), undefined)
  }
}
const MEMBERS = {
  sandbox: ['do', 'body', 'expect'],
  open: ['config', 'error'],
  send: ['message', 'json', 'timeout_ms', 'expect', 'error'],
  submit: ['as', 'message', 'json', 'timeout_ms', 'error'],
  result: ['of', 'expect'],
  cancel: ['of'],
  close: ['timeout_ms', 'unfinished'],
  end: []
}

async function run(sandbox, config, steps) {
  await sandbox.ask('POST /_/reset')
  const client = new Client(JSON.stringify(config))
  const runner = { sandbox, client, queue: client.newQueue(), ops: new Map(), names: new Map(), found: new Map() }
  for (const [i, { op, ...step }] of steps.entries()) {
    try {
      for (const member of Object.keys(step)) assert(MEMBERS[op]?.includes(member), `nobody knows ${member}`)
      await STEPS[op](runner, step)
    } catch (error) {
      throw new Error(`step ${i + 1}, ${op}: ${error.message}`, { cause: error })
    }
  }
  await client.close(0)
}

const { files, pairs } = JSON.parse(read('index'))

test('the comparison', () => {
  const all = JSON.parse(read('compare')).pairs
  for (const pair of all) assert.equal(fits(pair.expect, pair.found), pair.fits, JSON.stringify(pair))
  assert.equal(all.length, pairs)
})

for (const [name, count] of Object.entries(files)) {
  test(`conformance: ${name}`, async (t) => {
    const sandbox = await start()
    const text = read(name).replaceAll('{sandbox}', sandbox.url).replaceAll('{port}', new URL(sandbox.url).port)
    const { cases, config } = JSON.parse(text)
    for (const one of cases) await t.test(one.name, () => run(sandbox, one.config ?? config, one.steps))
    assert.equal(cases.length, count)
  })
}
