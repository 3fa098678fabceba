'use strict'

// The functions of libhongyan. A handle is a number: the address that the library gave.

const koffi = require('koffi')

const NAMES = { darwin: 'libhongyan.dylib', win32: 'hongyan.dll' }
const library = koffi.load(process.env.HONGYAN_LIBRARY || NAMES[process.platform] || 'libhongyan.so.1')

/** Each function by its name, as the header declares it; addresses of what it fills in are typed arrays. */
const functions = {}
for (const declared of [
  'uintptr_t hy_init(const void *json, size_t len, void *out)',
  'uintptr_t hy_account_set(uintptr_t c, const void *name, size_t nlen, const void *json, size_t len)',
  'uintptr_t hy_account_remove(uintptr_t c, const void *name, size_t nlen)',
  'uintptr_t hy_check_account(uintptr_t c, const void *name, size_t nlen, int64_t timeout_ms)',
  'uintptr_t hy_flush(uintptr_t c, int64_t timeout_ms, void *unfinished)',
  'uintptr_t hy_close(uintptr_t c, int64_t timeout_ms, void *unfinished)',
  'void hy_free(uintptr_t c)',
  'uintptr_t hy_stats_json(uintptr_t c, void *out, void *len)',
  'uintptr_t hy_preview_json(uintptr_t c, const void *json, size_t len, void *out, void *out_len)',
  'void hy_string_free(uintptr_t s)',
  'uintptr_t hy_submit_to(uintptr_t c, uintptr_t q, const void *json, size_t len, const void *options, size_t olen, uint64_t token, void *op)',
  'uintptr_t hy_queue_new(uintptr_t c, void *out)',
  'uintptr_t hy_queue_wait_many(uintptr_t q, int64_t timeout_ms, void *out, size_t capacity, void *count)',
  'uintptr_t hy_queue_poll_handle(uintptr_t q, void *out)',
  'void hy_queue_free(uintptr_t q)',
  'uintptr_t hy_wait_many(uintptr_t c, int64_t timeout_ms, void *out, size_t capacity, void *count)',
  'uintptr_t hy_poll_handle(uintptr_t c, void *out)',
  'void hy_op_cancel(uintptr_t op)',
  'const char *hy_op_id(uintptr_t op, uintptr_t len)',
  'void hy_op_free(uintptr_t op)',
  'uintptr_t hy_result_ack(uintptr_t c, uintptr_t r)',
  'const char *hy_result_json(uintptr_t r, uintptr_t len)',
  'uint64_t hy_result_token(uintptr_t r)',
  'int32_t hy_result_origin(uintptr_t r)',
  'int32_t hy_result_delivery(uintptr_t r)',
  'const char *hy_result_message_id(uintptr_t r, uintptr_t len)',
  'void hy_result_free(uintptr_t r)',
  'const char *hy_error_detail_json(uintptr_t e, uintptr_t len)',
  'void hy_error_free(uintptr_t e)',
  'uintptr_t hy_set_log(int32_t max_level, void *fn, uintptr_t user)',
  'const char *hy_services_json()',
  'const char *hy_version()'
]) {
  const name = declared.match(/hy_\w+/)[0]
  functions[name] = library.func(declared)
}

/** Text as the library takes it: bytes, and how many. */
const text = (string) => {
  const bytes = Buffer.from(string)
  return [bytes, bytes.length]
}

/** A place that the library fills in with a handle or a number. */
const place = () => new BigUint64Array(1)

/** The text at an address that the library gave. */
const textAt = (address, length) => koffi.decode(address, 'char', Number(length))

/** Calls back while the descriptor is readable. */
const poll = (descriptor, callback) => koffi.node.poll(descriptor, { readable: true }, callback)

const line = koffi.pointer(koffi.proto('void hy_log_fn(uintptr_t user, int32_t level, const char *target, const char *text)'))

/** A function for the lines of the log, for good; what calls it from another thread waits for the event loop. */
const logFunction = (callback) => koffi.register(callback, line)

module.exports = { functions, text, place, textAt, poll, logFunction }
