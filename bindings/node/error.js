'use strict'

// Calls of the library, and why they failed.

const { functions: hy } = require('./library.js')

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

module.exports = { HongyanError, failure, closed, check, aside }
