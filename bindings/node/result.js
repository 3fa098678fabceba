'use strict'

// What became of a message, as the library tells it.

const { inspect } = require('node:util')

const { functions: hy } = require('./library.js')

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

module.exports = { Result }
