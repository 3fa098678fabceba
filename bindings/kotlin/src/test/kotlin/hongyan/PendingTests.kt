package hongyan

import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.TimeoutCancellationException
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.launch
import kotlinx.coroutines.supervisorScope
import kotlinx.coroutines.withContext
import kotlinx.coroutines.withTimeout
import kotlinx.coroutines.withTimeoutOrNull

internal class PendingTests : Suite() {
    init {
        test("a cancelled coroutine cancels its send, and is told what had become true") {
            HongyanClient(sandbox.config()).use { client ->
                sandbox.hold()
                var told: Throwable? = null
                val job = launch {
                    try {
                        client.send(toLisztli("x"))
                    } catch (cancelled: CancellationException) {
                        told = cancelled
                        throw cancelled
                    }
                }
                sandbox.held(1)
                job.cancelAndJoin()
                same(true, job.isCancelled)
                val receipt = (told as SendCancelledException).receipt
                same(Delivery.MAYBE_SENT, receipt.delivery)
                same("cancelled", receipt.error!!.name)
                same(receipt, receiptOf(told))
                same(0, client.flush(60.seconds))
            }
        }
        test("each of many that are cancelled together has its own receipt") {
            HongyanClient(sandbox.config()).use { client ->
                sandbox.hold(20)
                val told = java.util.concurrent.ConcurrentLinkedQueue<Receipt>()
                val all = launch {
                    repeat(20) {
                        launch {
                            try {
                                client.send(toLisztli("message $it"))
                            } catch (cancelled: SendCancelledException) {
                                told += cancelled.receipt
                                throw cancelled
                            }
                        }
                    }
                }
                sandbox.held(20)
                all.cancelAndJoin()
                same(20, told.map { it.id }.toSet().size)
            }
        }
        test("withTimeout cancels too, and its exception leads to the receipt") {
            HongyanClient(sandbox.config()).use { client ->
                sandbox.hold()
                // On a machine that is slow the time may be over before the message is accepted: there is no receipt then.
                val receipt =
                    generateSequence(50.milliseconds) { it * 2 }.firstNotNullOf { time ->
                        val late =
                            fails<TimeoutCancellationException> { withTimeout(time) { client.send(toLisztli("x")) } }
                        receiptOf(late)
                    }
                // And the send before its request.
                same(true, receipt.delivery in listOf(Delivery.MAYBE_SENT, Delivery.NOT_SENT))
                same(null, withTimeoutOrNull(Duration.ZERO) { client.send(toLisztli("x")) })
            }
        }
        test("one that is cancelled before it begins sends nothing") {
            HongyanClient(sandbox.config()).use { client ->
                val job = launch(start = CoroutineStart.UNDISPATCHED) {
                    coroutineContext[kotlinx.coroutines.Job]!!.cancel()
                    client.send(toLisztli("x"))
                }
                job.join()
                client.send(toLisztli("y"))
                same(listOf<Any?>("y"), sandbox.texts())
            }
        }
        test("a time-out of its own is an exception with the truth") {
            HongyanClient(sandbox.config()).use { client ->
                val late = fails<HongyanException.Timeout> { client.send(toLisztli("x"), Duration.ZERO) }
                same(0, late.receipt!!.attempts)
                same(true, late.receipt.isOverdue)
            }
        }
        test("close while 20 are pending: each is told what had become true") {
            val client = HongyanClient(sandbox.config())
            sandbox.hold(20)
            supervisorScope {
                val sends = List(20) { async { fails<HongyanException.MaybeSent> { client.send(toLisztli("message $it")) } } }
                sandbox.held(20)
                same(20, withContext(Dispatchers.IO) { client.close(10.milliseconds) })
                for (doubt in sends.awaitAll()) {
                    same("cancelled", doubt.name)
                    same(Delivery.MAYBE_SENT, doubt.receipt!!.delivery)
                }
            }
        }
        test("close waits for what is under way") {
            val client = HongyanClient(sandbox.config())
            sandbox.hold()
            val send = async { client.send(toLisztli("x")) }
            sandbox.held(1)
            val close = async(Dispatchers.IO) { client.close(Duration.INFINITE) }
            // It accepts nothing more from a moment on that nobody is told of.
            while (true) {
                try {
                    client.send(toLisztli("late"), Duration.ZERO)
                } catch (_: HongyanException.Closed) {
                    break
                } catch (_: HongyanException.Timeout) {}
            }
            sandbox.release()
            same(0, close.await())
            same(Delivery.SENT, send.await().delivery)
        }
        test("a client that is full refuses, and takes more once there is room") {
            HongyanClient(sandbox.config(maxInFlight = 2, hook = false)).use { client ->
                sandbox.hold(2)
                val sends = List(2) { async { client.send(toLisztli("message $it")) } }
                sandbox.held(2)
                val full = fails<HongyanException.Full> { client.send(toLisztli("third")) }
                same(true, full.isRetryable)
                same(null, full.receipt)
                sandbox.release()
                sends.awaitAll()
                client.send(toLisztli("third"))
                same(3, sandbox.texts().size)
            }
        }
        test("sends of an unconfined coroutine may go on from one another") {
            HongyanClient(sandbox.config()).use { client ->
                withContext(Dispatchers.Unconfined) {
                    repeat(20) { client.send(toLisztli("message $it")) }
                    // On the very thread that takes receipts.
                    client.close()
                }
                same(20, sandbox.texts().size)
            }
        }
    }
}
