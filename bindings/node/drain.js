'use strict'

// What takes results out of a queue of the library.

const { functions: hy, place, poll } = require('./library.js')
const { closed, check } = require('./error.js')
const { Result } = require('./result.js')

/** How many results are taken at once. */
const BATCH = 64

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

module.exports = { Drain }
