package hongyan

import java.util.Collections
import java.util.concurrent.CountDownLatch
import java.util.concurrent.LinkedBlockingQueue
import java.util.concurrent.TimeUnit

private const val MINUTES = 5L

internal class LogTests : Suite() {
    private class Line(val level: LogLevel, val target: String, val text: String)

    init {
        test("the log has its lines and no message, until it is stopped") {
            val lines = LinkedBlockingQueue<Line>()
            fun next() = checkNotNull(lines.poll(MINUTES, TimeUnit.MINUTES)) { "no line came" }
            HongyanClient.setLog(LogLevel.DEBUG) { level, target, text -> lines.add(Line(level, target, text)) }
            HongyanClient(sandbox.config()).use { client ->
                client.send(toLisztli("goose"))
                val all = ArrayList<Line>()
                do all += next() while (all.last().target != "hongyan::send")
                same(LogLevel.INFO, all[0].level)
                same("hongyan::client", all[0].target)
                check(all[0].text.endsWith(" is ready")) { all[0].text }
                same(LogLevel.DEBUG, all.last().level)
                check(all.none { "goose" in it.text })
                // It may call the client: no thread of the library waits for it.
                val found = LinkedBlockingQueue<Result<String>>()
                HongyanClient.setLog(LogLevel.DEBUG) { _, _, _ -> found.add(runCatching { client.stats() }) }
                client.send(toLisztli("stats"))
                checkNotNull(found.poll(MINUTES, TimeUnit.MINUTES)).getOrThrow()
                HongyanClient.stopLog()
                lines.clear()
                found.clear()
                client.send(toLisztli("unheard"))
            }
            check(lines.isEmpty())
        }

        test("a level has those before it, and a function that throws is told of and called again") {
            val thrown = Collections.synchronizedList(ArrayList<String?>())
            val twice = CountDownLatch(2)
            val before = Thread.getDefaultUncaughtExceptionHandler()
            Thread.setDefaultUncaughtExceptionHandler { _, failure ->
                thrown += failure.message
                twice.countDown()
            }
            try {
                HongyanClient.setLog(LogLevel.INFO) { level, target, _ -> error("$level $target") }
                repeat(2) { HongyanClient(sandbox.config()).use { it.send(toLisztli("x")) } }
                check(twice.await(MINUTES, TimeUnit.MINUTES))
            } finally {
                HongyanClient.stopLog()
                Thread.setDefaultUncaughtExceptionHandler(before)
            }
            same(listOf("INFO hongyan::client", "INFO hongyan::client"), thrown.toList())
        }

        test("the function may stop the log") {
            val stopped = CountDownLatch(1)
            HongyanClient.setLog(LogLevel.INFO) { _, _, _ ->
                HongyanClient.stopLog()
                stopped.countDown()
            }
            HongyanClient(sandbox.config()).use { it.send(toLisztli("x")) }
            check(stopped.await(MINUTES, TimeUnit.MINUTES))
        }
    }
}
