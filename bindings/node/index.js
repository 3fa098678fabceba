'use strict'

const { Client } = require('./client.js')
const { HongyanError } = require('./error.js')
const { functions: hy } = require('./library.js')
const { setLog } = require('./log.js')
const { Queue, Op } = require('./queue.js')
const { Result } = require('./result.js')

/** What this build can send. */
const services = () => JSON.parse(hy.hy_services_json())

const version = hy.hy_version()

module.exports = { Client, Queue, Op, Result, HongyanError, services, setLog, version }
