package hongyan

import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.take
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.launch
import kotlinx.coroutines.withTimeoutOrNull
import kotlinx.coroutines.yield

/** All together stay below what the sandbox takes of an account in an hour. */
internal class ResultsTests : Suite() {
    init {
        test("each message that was submitted has one result, and the flow ends with the client") {
            val client = HongyanClient(sandbox.config())
            val all = async { client.results().toList() }
            val ids = List(150) { client.submit(toLisztli("message $it")).id }
            same(0, client.flush())
            same(0, client.close(Duration.INFINITE))
            val receipts = all.await()
            same(ids.toSet(), receipts.map { it.id }.toSet())
            same(150, receipts.size)
            same(true, receipts.all { it.delivery == Delivery.SENT })
            same(emptyList<Receipt>(), client.results().toList())
        }
        test("results that came before the close can be collected after it") {
            val client = HongyanClient(sandbox.config())
            val ids = List(300) { client.submit(toLisztli("message $it")).id }
            client.close(Duration.INFINITE)
            same(ids.toSet(), client.results().toList().map { it.id }.toSet())
        }
        test("no result is lost where a collector goes, and none comes twice") {
            HongyanClient(sandbox.config()).use { client ->
                val ids = List(400) { client.submit(toLisztli("message $it")).id }.toSet()
                val found = ArrayList<String>()
                found += client.results().first().id
                found += client.results().take(99).toList().map { it.id }
                // Collectors that are cancelled where they wait, or in between.
                val kept = java.util.concurrent.ConcurrentLinkedQueue<String>()
                repeat(50) { round ->
                    val collector = launch { client.results().collect { kept += it.id } }
                    repeat(round) { yield() }
                    collector.cancel()
                    collector.join()
                }
                found += kept
                while (found.size < 400) found += client.results().first().id
                same(400, found.size)
                same(ids, found.toSet())
                same(null, withTimeoutOrNull(1.seconds / 20) { client.results().first() })
            }
        }
        test("several collectors share the results, and all of them end") {
            val client = HongyanClient(sandbox.config())
            val collectors = List(5) { async { client.results().toList() } }
            val ids = List(200) { client.submit(toLisztli("message $it")).id }
            client.close(Duration.INFINITE)
            val found = collectors.awaitAll().flatten().map { it.id }
            same(200, found.size)
            same(ids.toSet(), found.toSet())
        }
        test("results that nobody takes hold their places") {
            HongyanClient(sandbox.config(maxInFlight = 300, hook = false)).use { client ->
                repeat(300) { client.submit(toLisztli("message $it")) }
                client.flush()
                fails<HongyanException.Full> { client.submit(toLisztli("one more")) }
                same(300, client.results().take(300).toList().size)
                client.submit(toLisztli("one more"))
                same(Delivery.SENT, client.results().first().delivery)
            }
        }
        test("an unconfined collector may close the client, and loses no result") {
            val client = HongyanClient(sandbox.config())
            val first = ArrayList<Receipt>()
            val collector =
                launch(Dispatchers.Unconfined) {
                    client.results().collect {
                        first += it
                        // On the very thread that takes results.
                        if (first.size == 1) client.close()
                    }
                }
            val ids = ArrayList<String>()
            try {
                repeat(50) { ids += client.submit(toLisztli("message $it")).id }
            } catch (_: HongyanException.Closed) {}
            collector.join()
            same(ids.toSet(), first.map { it.id }.toSet())
            same(ids.size, first.size)
        }
        test("one that was submitted can be cancelled") {
            HongyanClient(sandbox.config()).use { client ->
                sandbox.hold()
                val submission = client.submit(toLisztli("x"))
                sandbox.held(1)
                submission.cancel()
                val receipt = client.results().first()
                same(submission.id, receipt.id)
                same(Delivery.MAYBE_SENT, receipt.delivery)
                same("cancelled", receipt.error!!.name)
                // It has ended: nothing is left to cancel.
                submission.cancel()
            }
        }
        test("what is wrong with a submitted message is its result") {
            HongyanClient(sandbox.config()).use { client ->
                client.submit(Message.ofJson("no JSON"))
                same("argument", client.results().first().error!!.name)
            }
        }
        test("an outbox tells a result again until it is acknowledged") {
            val outbox = Outbox(folder().resolve("outbox.db").path)
            val first = HongyanClient(sandbox.config(outbox = outbox))
            val ids = List(2) { first.submit(toLisztli("message $it")).id }
            val receipts = first.results().take(2).toList()
            first.ack(receipts.first { it.id == ids[0] })
            first.close()
            fails<HongyanException.Closed> { first.ack(receipts[0]) }
            // The file is free at once.
            HongyanClient(sandbox.config(outbox = outbox)).use { second ->
                val again = second.results().first()
                same(Delivery.SENT, again.delivery)
                same(ids[1], again.id)
                second.ack(again)
            }
            val third = HongyanClient(sandbox.config(outbox = outbox))
            // Its outbox is opened with its first message.
            third.submit(toLisztli("third")).id.let { same(it, third.results().first().id) }
            third.close()
            same(3, sandbox.texts().size)
        }
    }
}
