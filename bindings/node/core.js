'use strict'

// A client of the library, and the calls on it.

const { functions: hy, text, place, textAt } = require('./library.js')
const { failure, closed, check, aside } = require('./error.js')
const { free } = require('./log.js')

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
    if (--this.users === 0) free(this.address)
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

module.exports = { Core, json, messageJSON }
