'use strict'

const { inspect } = require('node:util')

const { functions: hy, text, place, textAt, poll } = require('./library.js')

/** How many results are taken at once. */
const BATCH = 64

/** Why a call failed, or why a message was not sent, not to all, or perhaps not. */
class HongyanError extends Error {
  constructor(detail, more) {
    super(detail.message, more)
    Object.assign(this, detail)
    // Of a message that was accepted: what became of it.
    Object.defineProperty(this, 'result', { value: more?.result ?? null })
  }

  /** Whether the message arrived all the same; what was not accepted did not. */
  get delivery() {
    return this.result?.delivery ?? 'not_sent'
  }
}

/** An error as the library would have made it. */
function failure(code, name, message, more) {
  const none = { account: null, service: null, service_code: null, http_status: null, path: null }
  const detail = { code, name, message, ...none, attempts: 0, retryable: false, retry_after_ms: null, hint: null }
  return new HongyanError(detail, more)
}

const closed = () => failure(5, 'closed', 'the client is closed')

/** Throws the error that a call returned. */
function check(error) {
  if (error === 0) return
  const detail = JSON.parse(hy.hy_error_detail_json(error, 0))
  hy.hy_error_free(error)
  throw new HongyanError(detail)
}

/** Makes a call in another thread; what it was given stays where it is until then. */
const aside = (name, ...args) =>
  new Promise((resolve, reject) => {
    hy[name].async(...args, (failed, error) => {
      try {
        if (failed) throw failed
        resolve(check(error, args))
      } catch (why) {
        reject(why)
      }
    })
  })

/** JSON as bytes with their number; text is JSON already. */
function json(value) {
  const string = typeof value === 'string' ? value : JSON.stringify(value)
  if (typeof string !== 'string' || !string.isWellFormed()) {
    throw failure(3, 'argument', 'this cannot be written as JSON in UTF-8')
  }
  return text(string)
}

/** A message as JSON; its version may be left out. */
const messageJSON = (message) => json(typeof message === 'object' ? { v: 1, ...message } : message)

const DELIVERIES = ['not_sent', 'maybe_sent', 'sent', 'partly_sent']

/** The result of a message: what most look at, and when anything else is asked for, the members of its JSON. */
class Result {
  #json
  #whole

  constructor(handle) {
    this.#json = hy.hy_result_json(handle, 0)
    this.delivery = DELIVERIES[hy.hy_result_delivery(handle)]
    this.message_id = hy.hy_result_message_id(handle, 0)
    this.token = hy.hy_result_token(handle)
    // An earlier process accepted the message into the outbox.
    this.earlier_run = hy.hy_result_origin(handle) !== 0
  }

  get #members() {
    return (this.#whole ??= JSON.parse(this.#json))
  }

  get error() {
    return this.delivery === 'sent' ? null : this.#members.error
  }

  /** The JSON as the library wrote it, every digit exact. */
  toString() {
    return this.#json
  }

  toJSON() {
    return this.#members
  }

  [inspect.custom](_, options) {
    return `Result ${inspect(this.#members, options)}`
  }

  static {
    const members = `v id key account service service_time deduplicated recovered deadline attempts elapsed_ms recipients
      pieces notes raw trace`
    for (const name of members.split(/\s+/)) {
      Object.defineProperty(this.prototype, name, { get() { return this.#members[name] } })
    }
  }
}

/** A client of the library, which is freed when the last who use it have left. */
class Core {
  users = 1
  ended = false
  drains = new Set()
  submits = Promise.resolve()

  constructor(config) {
    const out = place()
    const string = typeof config === 'string' ? config : JSON.stringify({ v: 1, ...config })
    check(hy.hy_init(...json(string), out))
    this.address = Number(out[0])
    // The library has read it, so that it can be read; a byte order mark it does not mind.
    this.keeps = JSON.parse(string.replace(/^\uFEFF/, '')).outbox != null
  }

  enter() {
    if (this.users === 0) throw closed()
    this.users++
  }

  leave() {
    if (--this.users === 0) hy.hy_free(this.address)
  }

  /** The leave of the client itself. */
  end() {
    if (!this.ended) this.leave()
    this.ended = true
  }

  call(name, ...args) {
    if (this.users === 0) throw closed()
    check(hy[name](this.address, ...args))
  }

  /** Makes a call in another thread. */
  async aside(name, ...args) {
    this.enter()
    try {
      await aside(name, this.address, ...args)
    } finally {
      this.leave()
    }
  }

  /** Makes a call that gives JSON away. */
  jsonOf(name, ...args) {
    const [out, length] = [place(), place()]
    this.call(name, ...args, out, length)
    const string = textAt(Number(out[0]), length[0])
    hy.hy_string_free(Number(out[0]))
    return JSON.parse(string)
  }
}

/**
 * Takes results out of a queue of the library when the event loop comes by. While any are to come it keeps the loop,
 * and whoever submitted the messages: else those could be collected, and the client with them.
 */
class Drain {
  ready = new BigUint64Array(BATCH)
  count = place()
  pending = 0
  submitting = 0
  over = false
  keeps = null

  /** `deliver` is given each result with its handle, which it frees, and nothing at the end. */
  constructor(core, own, deliver) {
    this.core = core
    this.deliver = deliver
    const out = place()
    if (own) {
      core.call('hy_poll_handle', out)
      this.address = 0
    } else {
      core.call('hy_queue_new', out)
      this.address = Number(out[0])
      try {
        check(hy.hy_queue_poll_handle(this.address, out))
      } catch (error) {
        hy.hy_queue_free(this.address)
        throw error
      }
    }
    this.poll = poll(Number(out[0]), () => this.read())
    this.poll.unref()
    core.drains.add(this)
  }

  /** So many more results are to come, for `keeps`, or fewer. */
  expect(more, keeps) {
    this.pending += more
    if (this.over) return
    if (this.pending > 0) this.poll.ref()
    else this.poll.unref()
    this.keeps = this.pending > 0 ? (keeps ?? this.keeps) : null
  }

  /** Submits a message; it is `aside` that an outbox writes to its disk, one message after the other. */
  submit(keeps, message, options, token, op) {
    if (this.over) throw closed()
    const given = [this.address, ...message, ...options, token, op]
    this.expect(1, keeps)
    try {
      this.core.call('hy_submit_to', ...given)
    } catch (error) {
      this.expect(-1)
      throw error
    }
  }

  submitAside(keeps, message, options, token, op) {
    const submit = async () => {
      if (this.over) throw closed()
      this.submitting++
      this.expect(1, keeps)
      try {
        await this.core.aside('hy_submit_to', this.address, ...message, ...options, token, op)
      } catch (error) {
        this.expect(-1)
        throw error
      } finally {
        this.submitting--
        this.free()
      }
    }
    const submitted = this.core.submits.then(submit)
    this.core.submits = submitted.catch(() => {})
    return submitted
  }

  read() {
    while (!this.over) {
      const [ready, count] = [this.ready, this.count]
      const error = this.address
        ? hy.hy_queue_wait_many(this.address, 0, ready, BATCH, count)
        : hy.hy_wait_many(this.core.address, 0, ready, BATCH, count)
      if (error !== 0) {
        hy.hy_error_free(error)
        return this.end()
      }
      const got = Number(count[0])
      for (let i = 0; i < got; i++) {
        const handle = Number(ready[i])
        const result = new Result(handle)
        if (!result.earlier_run) this.expect(-1)
        this.deliver(result, handle)
      }
      if (got < BATCH) return
    }
  }

  /** The client is closed and every result was taken, or nobody wants them. */
  end() {
    if (this.over) return
    this.over = true
    this.keeps = null
    this.poll.close()
    this.core.drains.delete(this)
    this.free()
    this.deliver()
  }

  free() {
    if (!this.over || this.submitting > 0 || !this.address) return
    hy.hy_queue_free(this.address)
    this.address = 0
  }
}

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

const NOT_DURABLE = text('{"durable":false}')
const clients = new FinalizationRegistry((core) => core.end())
const queues = new FinalizationRegistry((inbox) => inbox.leave())
const ops = new FinalizationRegistry((address) => hy.hy_op_free(address))
const results = new FinalizationRegistry((address) => hy.hy_result_free(address))

/** What this build can send. */
const services = () => JSON.parse(hy.hy_services_json())

const version = hy.hy_version()

module.exports = { Client, Queue, Op, Result, HongyanError, services, version }
