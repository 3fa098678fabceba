package hongyan.bench

import hongyan.Account
import hongyan.Auth
import hongyan.Config
import hongyan.HongyanClient
import hongyan.HongyanException
import hongyan.Message
import hongyan.Rate
import hongyan.To
import java.io.File
import java.lang.management.ManagementFactory
import java.util.concurrent.atomic.AtomicInteger
import kotlin.time.Clock
import kotlin.time.Duration
import kotlin.time.Duration.Companion.hours
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking

private const val ACCOUNTS = 4
/** By then the JVM has compiled what is sent with. */
private const val WARM_UP = 30_000
/** What ends is compiled anew after its end, so the warm-up ends as often before that is measured. */
private const val ROUNDS = 10

/**
 * What a send costs, and what remains of many that are pending: the same as `benches/c/hongyan.c`.
 *
 *     BenchKt submit|send|pending URL IN_FLIGHT MESSAGES [WARM_UP]
 *
 * `submit` has so many in flight, by coroutines; `send` has one; `pending` begins MESSAGES sends that wait for their
 * time, cancels them, and does that again. It prints a line of JSON.
 */
fun main(arguments: Array<String>) {
    val (mode, url, inFlight, messages) = arguments
    val accounts =
        (0 until ACCOUNTS).associate {
            "a$it" to Account.Weibo(Auth.Oauth2("2.00BENCHmarkTokenOfAccount$it"), baseUrl = url, rate = Rate.unlimited)
        }
    HongyanClient(Config(accounts, maxInFlight = maxOf(1024, messages.toInt() + 1))).use { client ->
        if (mode == "pending") return pending(client, messages.toInt())
        val workers = if (mode == "send") 1 else inFlight.toInt()
        runBlocking(Dispatchers.Default) {
            val warmUp = arguments.getOrNull(4)?.toInt() ?: WARM_UP
            repeat(ROUNDS) {
                send(client, workers, it * warmUp / ROUNDS, (it + 1) * warmUp / ROUNDS)
                System.gc()
                Figures().since(warmUp)
            }
            val before = Figures()
            send(client, workers, warmUp, warmUp + messages.toInt())
            println(before.since(messages.toInt()))
        }
    }
}

private suspend fun send(client: HongyanClient, workers: Int, first: Int, end: Int) = coroutineScope {
    val next = AtomicInteger(first)
    repeat(workers) {
        launch {
            while (true) {
                val number = next.getAndIncrement()
                if (number >= end) break
                try {
                    checkNotNull(client.send(message(number)).messageId)
                } catch (refused: HongyanException.Forbidden) {
                    check(number % 50 == 49)
                }
            }
        }
    }
}

/** The texts of `benches/c/work.h`: a number, and 8, 24 or 70 characters. */
private val TEXTS =
    listOf(8, 24, 70).map {
        ("天地玄黄，宇宙洪荒。日月盈昃，辰宿列张。寒来暑往，秋收冬藏。闰余成岁，律吕调阳。云腾致雨，露结为霜。" +
                "金生丽水，玉出昆冈。剑号巨阙，珠称夜光。果珍李柰，菜重芥姜。海咸河淡，鳞潜羽翔。")
            .take(it)
    }

private fun message(number: Int, later: Boolean = false): Message =
    Message(
        "a${number % ACCOUNTS}",
        To(user = if (number % 50 == 49) "5000020301" else "${2125034703L + number % 100}"),
        "$number ${TEXTS[number % 3]}",
        notBefore = if (later) Clock.System.now() + 24.hours else null,
    )

private fun pending(client: HongyanClient, count: Int) {
    val rounds = ArrayList<String>()
    repeat(6) {
        runBlocking(Dispatchers.Default) {
            val sends = List(count) { launch(start = CoroutineStart.UNDISPATCHED) { client.send(message(it, true)) } }
            sends.forEach { it.cancel() }
            sends.forEach { it.join() }
        }
        check(client.flush(Duration.ZERO) == 0)
        repeat(3) { System.gc() }
        rounds += """{"heap":${ManagementFactory.getMemoryMXBean().heapMemoryUsage.used},"rss":${resident()}}"""
    }
    println("""{"pending":$count,"rounds":[${rounds.joinToString(",")}]}""")
}

private fun resident(): Long =
    File("/proc/self/status").readLines().first { it.startsWith("VmRSS") }.filter(Char::isDigit).toLong() * 1024

/** What was used so far: processor time of all threads, and what was allocated in Java's heap. */
private class Figures {
    private val wall = System.nanoTime()
    private val cpu = cpuMicroseconds()
    private val allocated = allocated()

    fun since(messages: Int): String {
        val wall = (System.nanoTime() - wall) / 1000.0 / messages
        val cpu = (cpuMicroseconds() - cpu) / messages
        val bytes = (allocated() - allocated) / messages
        return """{"messages":$messages,"wall_us":$wall,"cpu_us":$cpu,"managed_bytes":$bytes}"""
    }

    private fun cpuMicroseconds(): Double {
        val (user, system) = File("/proc/self/stat").readText().substringAfterLast(')').trim().split(' ').slice(11..12)
        return (user.toLong() + system.toLong()) * 10_000.0
    }

    /** Of the threads that live; those of the measured part all do. */
    private fun allocated(): Long {
        val threads = ManagementFactory.getThreadMXBean()
        val of = Class.forName("com.sun.management.ThreadMXBean").getMethod("getThreadAllocatedBytes", LongArray::class.java)
        return (of.invoke(threads, threads.allThreadIds) as LongArray).filter { it > 0 }.sum()
    }
}
