package hongyan

import java.io.File
import java.net.HttpURLConnection
import java.net.URI
import kotlin.system.exitProcess
import kotlin.time.Duration.Companion.minutes
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout

/** The tests of one subject, with a sandbox of their own. */
internal abstract class Suite {
    val tests = ArrayList<Pair<String, suspend CoroutineScope.() -> Unit>>()
    var ran = 0
        private set

    private var started: Sandbox? = null
    val sandbox: Sandbox
        get() = started ?: Sandbox().also { started = it }

    /** One that hangs fails after a while. */
    fun test(name: String, body: suspend CoroutineScope.() -> Unit) {
        tests += name to body
    }

    fun run(filter: String): List<String> {
        val failed = ArrayList<String>()
        for ((name, body) in tests) {
            val full = "${this::class.simpleName}: $name"
            if (filter !in full) continue
            started?.reset()
            ran++
            try {
                runBlocking(Dispatchers.Default) { withTimeout(5.minutes) { body() } }
                println("ok      $full")
            } catch (failure: Throwable) {
                println("FAILED  $full")
                failure.printStackTrace(System.out)
                failed += full
            }
        }
        started?.close()
        return failed
    }
}

/** Runs all tests, or those whose names have the first argument in them. */
fun main(args: Array<String>) {
    val filter = args.firstOrNull() ?: ""
    val suites = listOf(ClientTests(), PendingTests(), ResultsTests(), TextTests(), TypeTests(), LogTests(), GarbageTests(), Conformance())
    val failed = suites.flatMap { it.run(filter) }
    val ran = suites.sumOf { it.ran }
    println("$ran tests, ${failed.size} failed")
    exitProcess(if (failed.isEmpty() && ran > 0) 0 else 1)
}

/** The command's own sandbox; `HONGYAN` names the command. */
internal class Sandbox : AutoCloseable {
    private val process =
        ProcessBuilder(System.getenv("HONGYAN") ?: "hongyan", "sandbox", "--port", "0", "--json")
            .redirectError(File("/dev/null"))
            .start()
    val url: String = Json.objectOf(process.inputStream.bufferedReader().readLine().toByteArray())["url"] as String

    fun ask(what: String, body: Any? = null): Any? {
        val (method, path) = what.split(' ')
        val connection = URI(url + path).toURL().openConnection() as HttpURLConnection
        connection.requestMethod = method
        connection.readTimeout = 300_000
        if (method == "POST") {
            connection.doOutput = true
            val json = if (body == null) ByteArray(0) else JsonWriter().also { it.value(body) }.toByteArray()
            connection.outputStream.use { it.write(json) }
        }
        check(connection.responseCode / 100 == 2) { "$what: ${connection.responseCode}" }
        return Json.read(connection.inputStream.readBytes())
    }

    fun reset() {
        ask("POST /_/reset")
    }

    /** The next requests to fanfou wait until they are released. */
    fun hold(times: Int = 1) {
        ask("POST /_/faults", mapOf("service" to "fanfou", "kind" to "hold", "times" to times))
    }

    /** Waits until so many requests are held. */
    fun held(count: Int) {
        check((ask("GET /_/held?count=$count") as Map<*, *>)["held"] == count.toLong())
    }

    fun release() {
        ask("POST /_/release")
    }

    /** The texts of the messages that were taken. */
    fun texts(): List<Any?> = messages().map { it["text"] }

    fun messages(): List<Map<*, *>> = ((ask("GET /_/seen") as Map<*, *>)["messages"] as List<*>).map { it as Map<*, *> }

    fun config(maxInFlight: Int? = null, outbox: Outbox? = null, hook: Boolean = true): Config {
        val accounts =
            mutableMapOf<String, Account>(
                "ff" to Account.Fanfou(Auth.Basic("test", "pwd"), "$url/fanfou", rate = Rate.unlimited)
            )
        if (hook) {
            accounts["hook"] =
                Account.Webhook(
                    Auth.None,
                    "https://hooks.example.com/in/plain?key=goose-4711",
                    baseUrl = "$url/webhook",
                    success = mapOf("pointer" to "/taken", "equals" to true),
                    messageId = "/id",
                )
        }
        // No attempt ends because the machine is slow.
        return Config(accounts, 10.minutes, maxInFlight, Retry(maxAttempts = 1), outbox = outbox)
    }

    override fun close() {
        process.destroy()
        process.waitFor()
    }
}

internal fun toLisztli(text: String, key: String? = null, ordered: Boolean? = null): Message =
    Message("ff", To(user = "lisztli"), text, key = key, ordered = ordered)

internal inline fun <reified T : Throwable> fails(body: () -> Unit): T {
    try {
        body()
    } catch (failure: Throwable) {
        return failure as? T ?: throw AssertionError("another failure", failure)
    }
    throw AssertionError("no failure")
}

internal fun same(expected: Any?, found: Any?) {
    if (expected != found) throw AssertionError("expected $expected, found $found")
}

internal fun folder(): File = File.createTempFile("hongyan", "").apply { delete() }.apply { mkdir() }
