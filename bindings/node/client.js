'use strict'

// Many accounts over one runtime, and the sends that wait for their results.

const { functions: hy, text, place } = require('./library.js')
const { Core, json, messageJSON } = require('./core.js')
const { Drain } = require('./drain.js')
const { HongyanError, failure } = require('./error.js')
const { Queue } = require('./queue.js')

/** The options of a send: no outbox keeps it. */
const NOT_DURABLE = text('{"durable":false}')

/** The sends that a signal cancels. It has one listener for all of them: many of them would be taken for a leak. */
const signals = new WeakMap()
function watched(signal) {
  let sends = signals.get(signal)
  if (sends === undefined) {
    signals.set(signal, (sends = new Set()))
    signal.addEventListener('abort', () => sends.forEach((op) => hy.hy_op_cancel(op)), { once: true })
  }
  return sends
}

/** The sends of a client that wait for their results. */
class Mailbox {
  token = 0
  pending = new Map()

  constructor(core) {
    this.drain = new Drain(core, false, (result, handle) => {
      if (result === undefined) return
      hy.hy_result_free(handle)
      const settle = this.pending.get(result.token)
      this.pending.delete(result.token)
      settle(result)
    })
  }
}

/** Many accounts over one runtime. */
class Client {
  #core
  #mailbox = null
  #own = null

  constructor(config) {
    this.#core = new Core(config)
    clients.register(this, this.#core)
  }

  send(message, { timeout_ms, signal } = {}) {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) {
        throw failure(8, 'cancelled', 'the signal was aborted before', { cause: signal.reason })
      }
      const mailbox = (this.#mailbox ??= new Mailbox(this.#core))
      const options = timeout_ms === undefined ? NOT_DURABLE : text(JSON.stringify({ timeout_ms, durable: false }))
      const token = ++mailbox.token
      const op = signal ? place() : null
      mailbox.drain.submit(this, messageJSON(message), options, token, op)
      if (signal) watched(signal).add(Number(op[0]))
      mailbox.pending.set(token, (result) => {
        if (signal) {
          watched(signal).delete(Number(op[0]))
          hy.hy_op_free(Number(op[0]))
        }
        if (result.error === null) return resolve(result)
        const more = { result: result.error.name === 'argument' ? null : result }
        if (signal?.aborted) more.cause = signal.reason
        reject(new HongyanError(result.error, more))
      })
    })
  }

  queue() {
    return (this.#own ??= new Queue(this, this.#core, true))
  }

  newQueue() {
    return new Queue(this, this.#core, false)
  }

  setAccount(name, account) {
    this.#core.call('hy_account_set', ...text(name), ...json(account))
  }

  removeAccount(name) {
    this.#core.call('hy_account_remove', ...text(name))
  }

  checkAccount(name, timeout_ms = -1) {
    return this.#core.aside('hy_check_account', ...text(name), timeout_ms)
  }

  async flush(timeout_ms = -1) {
    const unfinished = place()
    await this.#core.aside('hy_flush', timeout_ms, unfinished)
    return Number(unfinished[0])
  }

  preview(message) {
    return this.#core.jsonOf('hy_preview_json', ...messageJSON(message))
  }

  stats() {
    return this.#core.jsonOf('hy_stats_json')
  }

  async close(timeout_ms = 10000) {
    const core = this.#core
    if (core.users === 0) return 0
    const unfinished = place()
    await core.aside('hy_close', timeout_ms, unfinished)
    for (const drain of [...core.drains]) drain.read()
    core.end()
    return Number(unfinished[0])
  }

  async [Symbol.asyncDispose]() {
    await this.close()
  }
}

const clients = new FinalizationRegistry((core) => core.end())

module.exports = { Client }
