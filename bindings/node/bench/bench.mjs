// What a send through the package costs, and what is left of many that were pending, with the messages of
// benches/c/work.h. It prints a line of JSON.
//
//     node --expose-gc bench.mjs submit|send|pending URL IN_FLIGHT MESSAGES [WARM_UP]
//
// submit has so many in flight, send one; pending begins MESSAGES sends that wait for their time, cancels them, and
// does that six times.
import { GCProfiler, getHeapStatistics } from 'node:v8'

import { Client } from 'hongyan'

const [mode, url, ...numbers] = process.argv.slice(2)
const [inFlight, count, warmUp = 600] = numbers.map(Number)
const ACCOUNTS = 4
// It begins the Thousand Character Classic.
const PROSE =
  '天地玄黄，宇宙洪荒。日月盈昃，辰宿列张。寒来暑往，秋收冬藏。闰余成岁，律吕调阳。云腾致雨，露结为霜。' +
  '金生丽水，玉出昆冈。剑号巨阙，珠称夜光。果珍李柰，菜重芥姜。海咸河淡，鳞潜羽翔。'
const TEXTS = [8, 24, 70].map((length) => PROSE.slice(0, length))

const message = (number, more) => ({
  account: `a${number % ACCOUNTS}`,
  to: { user: number % 50 === 49 ? '5000020301' : `${2125034703 + (number % 100)}` },
  text: `${number} ${TEXTS[number % 3]}`,
  ...more
})

const accounts = {}
for (let i = 0; i < ACCOUNTS; i++) {
  accounts[`a${i}`] = {
    service: 'weibo',
    base_url: url,
    auth: { type: 'oauth2', token: `2.00BENCHmarkTokenOfAccount${i}` },
    rate: null,
    max_in_flight: Math.max(1024, count)
  }
}
const client = new Client({ accounts, max_in_flight: Math.max(1024, 2 * count) })

/** Sends messages from `first` on, and tells how many were refused, as they should be. */
async function send(workers, first, count) {
  let next = first
  let refused = 0
  const worker = async () => {
    while (next < first + count) {
      try {
        const { message_id } = await client.send(message(next++))
        if (message_id === null) throw new Error('a message has no id')
      } catch (error) {
        if (error.name !== 'forbidden') throw error
        refused++
      }
    }
  }
  await Promise.all(Array.from({ length: workers }, worker))
  return refused
}

if (mode === 'pending') {
  const rounds = []
  for (let round = 0; round < 6; round++) {
    const controller = new AbortController()
    const { signal } = controller
    const more = { not_before_ms: Date.now() + 86_400_000 }
    const sends = Array.from({ length: count }, (_, i) => client.send(message(i, more), { signal }))
    controller.abort()
    for (const { reason } of await Promise.allSettled(sends)) if (reason?.name !== 'cancelled') throw reason
    sends.length = 0
    globalThis.gc?.()
    const { heapUsed: heap, rss } = process.memoryUsage()
    rounds.push({ heap, rss })
  }
  console.log(JSON.stringify({ pending: count, rounds }))
} else {
  const workers = mode === 'send' ? 1 : inFlight
  await send(workers, 0, warmUp)
  globalThis.gc?.()
  const profiler = new GCProfiler()
  const heap = () => getHeapStatistics().used_heap_size
  profiler.start()
  const [before, cpu, began] = [heap(), process.cpuUsage(), process.hrtime.bigint()]
  const refused = await send(workers, warmUp, count)
  const { user, system } = process.cpuUsage(cpu)
  const wall = Number(process.hrtime.bigint() - began) / 1e3
  // What is there now, and what was collected meanwhile.
  let bytes = heap() - before
  for (const { beforeGC, afterGC } of profiler.stop().statistics) {
    bytes += beforeGC.heapStatistics.usedHeapSize - afterGC.heapStatistics.usedHeapSize
  }
  if (refused !== Math.floor((warmUp + count) / 50) - Math.floor(warmUp / 50)) throw new Error(`${refused} were refused`)
  console.log(
    JSON.stringify({ messages: count, cpu_us: (user + system) / count, wall_us: wall / count, managed_bytes: bytes / count })
  )
}
await client.close()
