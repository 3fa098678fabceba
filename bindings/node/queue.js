'use strict'

// A queue of results, and the messages that were submitted to it.

const { functions: hy, text, place } = require('./library.js')
const { messageJSON } = require('./core.js')
const { Drain } = require('./drain.js')
const { closed } = require('./error.js')

/** What came for a queue; the drain holds it, and it holds no queue that nobody reads. */
class Inbox {
  results = []
  readers = []
  handles = new WeakMap()
  closed = false

  constructor(core, own) {
    this.core = core
    this.drain = new Drain(core, own, (result, handle) => this.take(result, handle))
    core.enter()
    // What an earlier run left may come at any time.
    this.unforeseen = own && core.keeps
  }

  take(result, handle) {
    if (result === undefined) return this.release()
    if (this.closed) {
      hy.hy_result_free(handle)
      return this.close()
    }
    if (this.core.keeps) {
      this.handles.set(result, handle)
      results.register(result, handle, result)
    } else {
      hy.hy_result_free(handle)
    }
    if (this.readers.length === 0) return void this.results.push(result)
    if (this.unforeseen) this.drain.expect(-1)
    this.readers.shift().resolve(result)
  }

  /** Tells those who wait that nothing comes any more. */
  release() {
    for (const { resolve } of this.readers.splice(0)) resolve(undefined)
  }

  /** Nobody wants the results: those that are to come are awaited all the same, so that their sends go on. */
  close() {
    this.closed = true
    this.results = []
    if (this.drain.pending <= 0) this.leave()
    else this.release()
  }

  /** Lets go of the client. */
  leave() {
    this.drain.end()
    if (this.core) this.core.leave()
    this.core = null
  }
}

/** Takes the results of the messages that were submitted to it. */
class Queue {
  #client
  #core
  #inbox

  constructor(client, core, own) {
    this.#client = client
    this.#core = core
    this.#inbox = new Inbox(core, own)
    queues.register(this, this.#inbox)
  }

  async submit(message, { token = 0, ...options } = {}) {
    const op = place()
    const { drain, closed: ended } = this.#inbox
    if (ended) throw closed()
    const aside = this.#core.keeps && options.durable !== false
    const given = [this, messageJSON(message), text(JSON.stringify(options)), token, op]
    if (aside) await drain.submitAside(...given)
    else drain.submit(...given)
    return new Op(Number(op[0]))
  }

  async next() {
    const inbox = this.#inbox
    if (inbox.results.length > 0) return inbox.results.shift()
    if (!inbox.drain.over && !inbox.closed) {
      if (inbox.unforeseen) inbox.drain.expect(1, this)
      const result = await new Promise((resolve) => inbox.readers.push({ resolve, queue: this }))
      if (result !== undefined) return result
    }
    if (inbox.drain.over) inbox.leave()
    return undefined
  }

  async *[Symbol.asyncIterator]() {
    for (let result; (result = await this.next()) !== undefined; ) yield result
  }

  ack(result) {
    const { handles } = this.#inbox
    const handle = handles.get(result)
    if (handle === undefined) return
    this.#core.call('hy_result_ack', handle)
    handles.delete(result)
    results.unregister(result)
    hy.hy_result_free(handle)
  }

  close() {
    this.#inbox.close()
  }
}

/** A message that was submitted. */
class Op {
  #address

  constructor(address) {
    this.#address = address
    this.id = hy.hy_op_id(address, 0)
    ops.register(this, address)
  }

  cancel() {
    hy.hy_op_cancel(this.#address)
  }
}

const queues = new FinalizationRegistry((inbox) => inbox.leave())
const ops = new FinalizationRegistry((address) => hy.hy_op_free(address))
const results = new FinalizationRegistry((address) => hy.hy_result_free(address))

module.exports = { Queue, Op }
