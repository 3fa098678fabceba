package hongyan

import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.TimeoutCancellationException
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.ensureActive
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.FlowCollector
import kotlinx.coroutines.withContext

/**
 * Many accounts of many chat services, through which messages go out.
 *
 * Any thread and any coroutine may use it. It opens no connection and starts no thread of the library before
 * the first message. One that is not closed closes at once when it is garbage.
 */
public class HongyanClient private constructor(json: ByteArray) : AutoCloseable {
    /** A client of this configuration. Anything wrong in it throws [HongyanException.Config], whose path says where. */
    public constructor(config: Config) : this(JsonWriter().fields(config.fields).toByteArray())

    /** A client of a configuration in JSON. */
    public constructor(configJson: String) : this(utf8(configJson, "the configuration"))

    private val host = Host(json)
    private val reaper = Reaper.watch(this, host)

    /**
     * Sends a message, and returns the receipt of what was sent; no thread waits meanwhile.
     *
     * [timeout] is how long it may take at most, retries included. What was not sent, or not wholly, is thrown as
     * a [HongyanException] that has the receipt. Cancelling the coroutine cancels the send: the
     * [SendCancelledException] comes once the truth about it is known, and tells it. An outbox does not keep what
     * is sent by this.
     */
    public suspend fun send(message: Message, timeout: Duration = Duration.INFINITE): Receipt {
        currentCoroutineContext().ensureActive()
        val sent =
            if (message.readsFiles) {
                withContext(NonCancellable + Dispatchers.IO) { host.send(this@HongyanClient, message, milliseconds(timeout)) }
            } else {
                host.send(this, message, milliseconds(timeout))
            }
        val receipt =
            try {
                sent.await()
            } catch (cancelled: CancellationException) {
                host.cancel(sent.token)
                throw told(cancelled, withContext(NonCancellable) { sent.await() })
            }
        receipt.error?.let { throw it }
        return receipt
    }

    /** Sends a message in JSON. */
    public suspend fun send(messageJson: String, timeout: Duration = Duration.INFINITE): Receipt =
        send(Message.ofJson(messageJson), timeout)

    /**
     * Submits a message and returns at once; exactly one receipt with its id comes out of [results], whatever is
     * wrong with it. [timeout] is that of [send]; what an outbox keeps has it as its deadline.
     *
     * With an outbox it returns once the message is durable. [HongyanException.Full] once the limits of the
     * configuration are reached, where receipts that nobody took count.
     */
    public fun submit(message: Message, timeout: Duration = Duration.INFINITE): Submission =
        host.submit(message, milliseconds(timeout))

    /**
     * The receipts of submitted messages, as they come; with an outbox those, too, of messages of an earlier run.
     *
     * It ends once the client is closed and all were taken. Of several collectors each receipt goes to one.
     */
    public fun results(): Flow<Receipt> =
        // One that `flow { }` makes asks in each emit whether it is cancelled: what was taken by then would be lost.
        object : Flow<Receipt> {
            override suspend fun collect(collector: FlowCollector<Receipt>) {
                while (true) collector.emit(host.results.next() ?: break)
            }
        }

    /** Tells an outbox that a receipt need never be handed out again; to be called before [close]. */
    public fun ack(receipt: Receipt): Unit = Native.ack(host.number, utf8(receipt.id, "the id"))

    /** The request that a message would become, as JSON with its secrets masked; nothing is sent. */
    public fun preview(message: Message): String = text(Native.preview(host.number, message.json, message.files))

    /** Adds an account, or replaces the one of that name; holds for attempts begun later. */
    public fun setAccount(name: String, account: Account): Unit =
        Native.setAccount(host.number, utf8(name, "the name"), JsonWriter().fields(account.fields).toByteArray())

    /** Takes an account away; what waits for it ends with [HongyanException.Config]. */
    public fun removeAccount(name: String): Unit = Native.removeAccount(host.number, utf8(name, "the name"))

    /**
     * Asks the service of an account whether its credentials work; nothing is sent.
     *
     * [HongyanException.Auth] where it refuses them, [HongyanException.Unsupported] where it cannot be asked. A
     * cancelled coroutine still waits for the answer or for [timeout].
     */
    public suspend fun checkAccount(name: String, timeout: Duration = 10.seconds): Unit =
        withContext(Dispatchers.IO) { Native.checkAccount(host.number, utf8(name, "the name"), milliseconds(timeout)) }

    /** Counters per account, as JSON. */
    public fun stats(): String = text(Native.stats(host.number))

    /** Waits on this thread until nothing is queued or in flight; how many sends still are. */
    public fun flush(timeout: Duration = Duration.INFINITE): Int = Native.flush(host.number, milliseconds(timeout))

    /**
     * Accepts nothing more, waits on this thread at most [timeout], and cancels the rest; how many those were.
     *
     * Every message has its receipt then, and [results] still gives those of submitted ones. A second call
     * returns 0.
     */
    public fun close(timeout: Duration): Int = host.close(milliseconds(timeout)).also { reaper.dismiss() }

    /** Closes after at most 10 seconds. */
    override fun close() {
        close(10.seconds)
    }

    public companion object {
        /** What this build can send, per service: recipients, parts, extra fields, limits, codes; as JSON. */
        @JvmStatic public fun services(): String = text(Native.services())

        /**
         * Has a function called for each line of the log up to a level, of all clients of the process, in place of
         * the one before.
         *
         * One thread of its own calls it, with one line after the other; at the end of the process, lines that wait
         * are gone. What it throws goes to that thread's handler of uncaught exceptions, and the log goes on.
         */
        @JvmStatic public fun setLog(level: LogLevel, function: LogFunction): Unit = Log.set(level, function)

        /** Ends the log: once this has returned the function is not called any more, unless this is called in it. */
        @JvmStatic public fun stopLog(): Unit = Log.set(null, null)

        private fun text(bytes: ByteArray) = String(bytes, Charsets.UTF_8)

        /** As the core takes it: negative is without end. */
        private fun milliseconds(timeout: Duration): Long =
            if (timeout.isInfinite()) -1 else timeout.inWholeMilliseconds.coerceAtLeast(0)

        private fun told(cancelled: CancellationException, receipt: Receipt): SendCancelledException {
            val told = SendCancelledException(receipt, cancelled)
            // withTimeout throws its own, and nothing else.
            generateSequence<Throwable>(cancelled) { it.cause }
                .filterIsInstance<TimeoutCancellationException>()
                .forEach { it.addSuppressed(told) }
            return told
        }
    }
}

/** A message that was submitted: its receipt in [HongyanClient.results] has its [id]. */
public class Submission internal constructor(public val id: String, private val token: Long, private val host: Host) {
    /** Asks for its end; its receipt says what became true. */
    public fun cancel(): Unit = host.cancel(token)
}
