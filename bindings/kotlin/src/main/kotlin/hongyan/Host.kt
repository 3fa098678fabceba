package hongyan

import java.lang.ref.PhantomReference
import java.lang.ref.ReferenceQueue
import java.util.Collections
import java.util.concurrent.ConcurrentHashMap
import java.util.concurrent.ConcurrentLinkedQueue
import java.util.concurrent.atomic.AtomicLong
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.sync.Semaphore

/** How many receipts are taken from the core at once. */
private const val MOST = 256

/**
 * The native client, without the object that people hold: its threads keep this one alive, so that the other is
 * seen to be garbage.
 */
internal class Host(config: ByteArray) {
    val number: Long = Native.open(config)
    private val tokens = AtomicLong()
    private val awaited = ConcurrentHashMap<Long, Sent>()
    private val sends = Drain("hongyan-sends", number, true, ::settle) { failure -> awaited.values.forEach { it.lost(failure) } }
    val results: Results = Results(number)

    /** A send that is awaited. It holds its client, which is no garbage as long as it is under way. */
    class Sent(val token: Long, @Suppress("unused") private val client: HongyanClient) {
        private val outcome = CompletableDeferred<Receipt>()

        suspend fun await(): Receipt = outcome.await()

        fun came(receipt: Receipt) {
            outcome.complete(receipt)
        }

        fun lost(failure: Throwable) {
            outcome.completeExceptionally(failure)
        }
    }

    fun send(client: HongyanClient, message: Message, timeoutMs: Long): Sent {
        sends.begin()
        val sent = Sent(tokens.incrementAndGet(), client)
        awaited[sent.token] = sent
        try {
            Native.submit(number, message.json, message.files, sent.token, timeoutMs, true)
        } catch (refused: Throwable) {
            awaited.remove(sent.token)
            throw refused
        }
        return sent
    }

    private fun settle(token: Long, receipt: Receipt) {
        awaited.remove(token)?.came(receipt)
    }

    fun submit(message: Message, timeoutMs: Long): Submission {
        val token = tokens.incrementAndGet()
        val id = Native.submit(number, message.json, message.files, token, timeoutMs, false)
        return Submission(String(id!!, Charsets.UTF_8), token, this)
    }

    fun cancel(token: Long): Unit = Native.cancel(number, token)

    /** Closes; what came until then can still be taken. */
    fun close(timeoutMs: Long): Int {
        val cancelled = Native.close(number, timeoutMs)
        results.finish()
        sends.join()
        Native.free(number)
        return cancelled
    }

    /** Nobody holds the client any more. */
    fun abandon() {
        Native.free(number)
        results.abandon()
    }
}

/** The receipts of what was submitted, on their way to whoever collects them. */
internal class Results(number: Long) {
    private val arrived = ConcurrentLinkedQueue<Receipt>()

    /** One permit a receipt that arrived, and one for the end. */
    private val ready = Semaphore(Int.MAX_VALUE, Int.MAX_VALUE)

    /** So many receipts wait here at most; the others hold their places in the core, which is full then. */
    private val room = java.util.concurrent.Semaphore(MOST)
    @Volatile private var isUnbounded = false
    private val drain = Drain("hongyan-results", number, false, ::came) { ready.release() }

    private fun came(@Suppress("unused") token: Long, receipt: Receipt) {
        if (!isUnbounded) room.acquireUninterruptibly()
        arrived.add(receipt)
        ready.release()
    }

    /** The next receipt; null once there will be no more. */
    suspend fun next(): Receipt? {
        drain.begin()
        ready.acquire()
        val receipt = arrived.poll()
        // The end is for everybody.
        if (receipt == null) ready.release() else room.release()
        return receipt
    }

    /** Takes what the core has left. */
    fun finish() {
        drain.begin()
        abandon()
        drain.join()
    }

    /** Has the thread wait for no room any more. */
    fun abandon() {
        isUnbounded = true
        room.release()
    }
}

/** The one thread that takes the receipts of a queue; it starts with the first need of it. */
private class Drain(
    name: String,
    private val number: Long,
    private val awaited: Boolean,
    private val each: (Long, Receipt) -> Unit,
    private val end: (Throwable) -> Unit,
) {
    private val thread = Thread(::run, name).apply { isDaemon = true }
    @Volatile private var begun = false

    fun begin() {
        if (begun) return
        synchronized(this) {
            if (begun) return
            thread.start()
            begun = true
        }
    }

    /** Waits until all was taken; on the thread itself, which runs what is unconfined, it takes the rest here. */
    fun join() {
        if (!begun) return
        if (Thread.currentThread() === thread) return takeAll()
        var interrupted = false
        while (thread.isAlive) {
            try {
                thread.join()
            } catch (_: InterruptedException) {
                interrupted = true
            }
        }
        if (interrupted) Thread.currentThread().interrupt()
    }

    private fun run() {
        var failure: Throwable = IllegalStateException("the client has ended without this result")
        try {
            takeAll()
        } catch (broken: Throwable) {
            failure = broken
            Native.free(number)
        }
        end(failure)
    }

    private fun takeAll() {
        while (true) {
            val packed = Native.take(number, awaited, MOST) ?: continue
            if (packed.isEmpty()) return
            Receipt.unpack(packed, each)
        }
    }
}

/** Ends clients that became garbage without a close. */
internal class Reaper private constructor(client: HongyanClient, private val host: Host) :
    PhantomReference<HongyanClient>(client, GARBAGE) {
    /** The client was closed. */
    fun dismiss() {
        clear()
        WATCHED.remove(this)
    }

    companion object {
        private val GARBAGE = ReferenceQueue<HongyanClient>()
        private val WATCHED: MutableSet<Reaper> = Collections.newSetFromMap(ConcurrentHashMap())

        init {
            Thread(::reap, "hongyan-reaper").apply { isDaemon = true }.start()
        }

        fun watch(client: HongyanClient, host: Host): Reaper = Reaper(client, host).also { WATCHED.add(it) }

        private fun reap() {
            while (true) {
                val reaper =
                    try {
                        GARBAGE.remove() as Reaper
                    } catch (_: InterruptedException) {
                        continue
                    }
                WATCHED.remove(reaper)
                reaper.host.abandon()
            }
        }
    }
}
