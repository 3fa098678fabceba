package hongyan

import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.withContext

internal class ClientTests : Suite() {
    init {
        test("a message is sent, and its receipt tells of it") {
            HongyanClient(sandbox.config()).use { client ->
                val receipt = client.send(toLisztli("hello", key = "k"), 60.seconds)
                same(Delivery.SENT, receipt.delivery)
                same("fanfou", receipt.service)
                same("ff", receipt.account)
                same("k", receipt.key)
                same(1, receipt.attempts)
                same(null, receipt.error)
                same(26, receipt.id.length)
                same(true, receipt.messageId!!.isNotEmpty())
                same(listOf<Any?>("hello"), sandbox.texts())
            }
        }
        test("500 sends at once, without a thread each") {
            HongyanClient(sandbox.config()).use { client ->
                sandbox.hold(20)
                val sends = List(500) { async { client.send(toLisztli("message $it")) } }
                sandbox.held(20)
                val threads = Thread.getAllStackTraces().keys.filter { it.isAlive }
                same(1, threads.count { it.name == "hongyan-sends" })
                same(true, threads.size < 100)
                sandbox.release()
                same(500, sends.awaitAll().map { it.id }.toSet().size)
                same(500, sandbox.texts().toSet().size)
            }
        }
        test("two clients know nothing of each other") {
            HongyanClient(sandbox.config()).use { one ->
                HongyanClient(sandbox.config()).use { other ->
                    val receipts =
                        List(100) { async { (if (it % 2 == 0) one else other).send(toLisztli("message $it")) } }.awaitAll()
                    same(100, receipts.map { it.id }.toSet().size)
                    one.close(0.seconds)
                    fails<HongyanException.Closed> { one.send(toLisztli("late")) }
                    other.send(toLisztli("still open"))
                }
            }
        }
        test("what the service refuses is an exception of its kind") {
            HongyanClient(sandbox.config()).use { client ->
                val refused =
                    fails<HongyanException.NotFound> { client.send(Message("ff", To(user = "nobody"), "x")) }
                same(202, refused.code)
                same("not_found", refused.name)
                same(Delivery.NOT_SENT, refused.delivery)
                same(false, refused.isRetryable)
                same("fanfou", refused.service)
                same(refused.receipt, receiptOf(RuntimeException(refused)))
                same("not_found", (Json.objectOf(refused.json.toByteArray()))["name"])
            }
        }
        test("a doubt is one, whatever its cause") {
            HongyanClient(sandbox.config()).use { client ->
                sandbox.ask("POST /_/faults", mapOf("service" to "fanfou", "kind" to "reset"))
                val doubt = fails<HongyanException.MaybeSent> { client.send(toLisztli("x")) }
                same("network", doubt.name)
                same(Delivery.MAYBE_SENT, doubt.receipt!!.delivery)
                same(true, "may have been sent: network" in doubt.message!!)
            }
        }
        test("a mistake in the message says where it is") {
            HongyanClient(sandbox.config()).use { client ->
                val wrong = fails<HongyanException.Message> { client.send(Message("ff", To(user = " "), "x")) }
                same("to.user", wrong.path)
                val service = fails<HongyanException.Unsupported> { client.send(Message("ff", To(group = "1"), "x")) }
                same("to.group", service.path)
                fails<HongyanException.Argument> { client.send("{") }
            }
        }
        test("a bad configuration says where and what to do") {
            val wrong = fails<HongyanException.Config> { HongyanClient("""{"v":1,"accounts":{"a":{"service":"pigeon"}}}""") }
            same("accounts.a.service", wrong.path)
            same(4, wrong.code)
            fails<HongyanException.Config> { HongyanClient("") }
            fails<HongyanException.Config> { HongyanClient(Config(emptyMap(), maxInFlight = 0)) }
            val without = fails<HongyanException.Config> {
                HongyanClient(Config(mapOf("tg" to Account.Telegram(Auth.Bot("\${env:HONGYAN_NO_SUCH_NAME}")))))
            }
            same(true, "HONGYAN_NO_SUCH_NAME" in without.message!!)
        }
        test("accounts come and go while a client lives") {
            HongyanClient(sandbox.config()).use { client ->
                client.setAccount("二", Account.Fanfou(Auth.Basic("test", "pwd"), "${sandbox.url}/fanfou"))
                same("二", client.send(Message("二", To(user = "lisztli"), "x")).account)
                client.removeAccount("二")
                fails<HongyanException.Message> { client.send(Message("二", To(user = "lisztli"), "x")) }
                same(true, "\"ff\"" in client.stats())
                fails<HongyanException.Config> { client.removeAccount("三") }
            }
        }
        test("an account is checked without a message") {
            HongyanClient(sandbox.config()).use { client ->
                client.setAccount("tg", Account.Telegram(Auth.Bot("1:none"), "${sandbox.url}/telegram"))
                fails<HongyanException.Auth> { client.checkAccount("tg") }
                fails<HongyanException.Config> { client.checkAccount("nobody") }
                fails<HongyanException.Unsupported> { client.checkAccount("hook") }
                same(0, sandbox.messages().size)
            }
        }
        test("a preview sends nothing and hides secrets") {
            HongyanClient(sandbox.config()).use { client ->
                val preview = client.preview(Message("hook", text = "hello 🪿"))
                same(true, "hello 🪿" in preview)
                same(false, "goose-4711" in preview)
                same(0, sandbox.messages().size)
            }
        }
        test("bytes of files go beside the message") {
            HongyanClient(sandbox.config()).use { client ->
                val token = "110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw"
                client.setAccount("tg", Account.Telegram(Auth.Bot(token), "${sandbox.url}/telegram"))
                val bytes = ByteArray(3 shl 20) { (it % 251).toByte() }
                val file = folder().resolve("b.txt").apply { writeText("from a path") }
                val files = listOf(Attachment.bytes("a.bin", bytes, "application/octet-stream"), Attachment.path(file.path))
                same(Delivery.SENT, client.send(Message("tg", To(chat = "4711"), "two", attachments = files)).delivery)
                val missing = listOf(Attachment.path("/no/such/file"))
                val refused =
                    fails<HongyanException.Message> { client.send(Message("tg", To(chat = "4711"), "x", attachments = missing)) }
                same("attachments[0].path", refused.path)
            }
        }
        test("a close that is called twice, and by several threads") {
            val client = HongyanClient(sandbox.config())
            client.send(toLisztli("x"))
            withContext(Dispatchers.IO) { List(8) { async { client.close(0.seconds) } }.awaitAll() }
            same(0, client.close(0.seconds))
            client.close()
            fails<HongyanException.Closed> { client.submit(toLisztli("late")) }
            fails<HongyanException.Closed> { client.stats() }
        }
        test("no panic crosses, and its words are not shown") {
            val panic = fails<HongyanException.Panic> { Doors.panic() }
            same(2, panic.code)
            same(false, "secret words" in panic.message!!)
            same(true, "exports.rs" in panic.message!!)
        }
        test("null in the place of bytes is an exception") {
            // Java may give null wherever Kotlin would not let it.
            val open = Native::class.java.getMethod("open", ByteArray::class.java)
            val failure = fails<java.lang.reflect.InvocationTargetException> { open.invoke(null, null) }
            same(HongyanException.Internal::class, failure.cause!!::class)
        }
    }
}

/** What only a build for tests has. */
internal object Doors {
    init {
        HongyanClient.services()
    }

    @JvmStatic external fun panic(): Long
}
