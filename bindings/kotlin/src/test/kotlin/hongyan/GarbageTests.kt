package hongyan

import java.lang.ref.WeakReference
import kotlin.time.Duration.Companion.milliseconds
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Deferred
import kotlinx.coroutines.async
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.first

internal class GarbageTests : Suite() {
    /** The threads of clients that are open. */
    private fun threads() =
        Thread.getAllStackTraces().keys.count { it.isAlive && (it.name == "hongyan-sends" || it.name == "hongyan-results") }

    private suspend fun collect(until: () -> Boolean) {
        while (!until()) {
            System.gc()
            delay(10.milliseconds)
        }
    }

    private suspend fun leave(config: Config): WeakReference<HongyanClient> {
        val client = HongyanClient(config)
        client.send(toLisztli("x"))
        client.submit(toLisztli("y"))
        client.results().first()
        client.submit(toLisztli("never collected"))
        return WeakReference(client)
    }

    private fun begin(scope: CoroutineScope, config: Config): Deferred<Receipt> {
        val client = HongyanClient(config)
        return scope.async { client.send(toLisztli("slow")) }
    }

    init {
        test("one that is garbage without a close ends, with its threads") {
            collect { threads() == 0 }
            val left = List(5) { leave(sandbox.config()) }
            collect { left.all { it.get() == null } && threads() == 0 }
        }
        test("one with a full buffer of results ends as well") {
            collect { threads() == 0 }
            suspend fun fill(): WeakReference<HongyanClient> {
                val client = HongyanClient(sandbox.config(maxInFlight = 1000, hook = false))
                repeat(1000) { client.submit(toLisztli("message $it")) }
                // None of them is to meet what the next test asks for.
                client.flush()
                client.results().first()
                return WeakReference(client)
            }
            val left = fill()
            collect { left.get() == null && threads() == 0 }
        }
        test("one whose send is under way is no garbage") {
            sandbox.hold()
            val send = begin(this, sandbox.config())
            sandbox.held(1)
            repeat(20) {
                System.gc()
                delay(5.milliseconds)
            }
            same(true, send.isActive)
            sandbox.release()
            same(Delivery.SENT, send.await().delivery)
        }
        test("one whose results are awaited is no garbage") {
            sandbox.hold()
            fun begin(): Deferred<Receipt> {
                val client = HongyanClient(sandbox.config())
                client.submit(toLisztli("slow"))
                return async { client.results().first() }
            }
            val result = begin()
            sandbox.held(1)
            repeat(20) {
                System.gc()
                delay(5.milliseconds)
            }
            sandbox.release()
            same(Delivery.SENT, result.await().delivery)
        }
        test("a thousand clients leave nothing behind") {
            repeat(1000) { HongyanClient(sandbox.config()).close() }
            collect { threads() == 0 }
        }
    }
}
