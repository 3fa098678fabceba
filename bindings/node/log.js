'use strict'

// The library's log, of all clients of the process.

const { functions: hy, logFunction } = require('./library.js')
const { aside, failure } = require('./error.js')

/** The levels by their numbers. */
const LEVELS = ['off', 'error', 'warn', 'info', 'debug', 'trace']

let told = null
let native = null
let last = Promise.resolve()

/** A line of the library, whose thread waits here; what the function throws must not reach it. */
function line(_, level, target, text) {
  try {
    told?.(LEVELS[level], target, text)
  } catch (error) {
    process.nextTick(() => {
      throw error
    })
  }
}

async function set(level, callback) {
  const number = typeof callback === 'function' ? LEVELS.indexOf(level) : 0
  if (number < 0) throw failure(3, 'argument', `${level} is no level of the log: ${LEVELS.join(', ')}`)
  if (number > 0) {
    native ??= logFunction(line)
    told = callback
  }
  // Aside, since it waits for lines that wait for the event loop.
  await aside('hy_set_log', number, number > 0 ? native : null, 0)
  if (number === 0) told = null
}

/** One after the other, so that the last one holds. */
function setLog(level, callback) {
  const done = last.then(() => set(level, callback))
  last = done.catch(() => {})
  return done
}

/** Frees a client, whose thread may wait for the event loop, with a line of the log. */
function free(client) {
  if (told === null) hy.hy_free(client)
  else hy.hy_free.async(client, () => {})
}

module.exports = { setLog, free }
