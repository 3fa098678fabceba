package hongyan

import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.seconds
import kotlin.time.Instant

internal class TypeTests : Suite() {
    private fun json(of: JsonObject) = String(JsonWriter().fields(of.fields).toByteArray())

    init {
        test("an account is what the configuration has") {
            same(
                """{"service":"telegram","auth":{"type":"bot","token":"t"},"rate":null,"to":{"chat":"4711"},""" +
                    """"max_in_flight":3,"proxy":"env"}""",
                json(Account.Telegram(Auth.Bot("t"), to = To(chat = "4711"), rate = Rate.unlimited, maxInFlight = 3, proxy = "env")),
            )
            same(
                """{"service":"zulip","auth":{"type":"basic","username":"u","password":"p"},"rate":{"count":3,"per_ms":60000},""" +
                    """"base_url":"https://z"}""",
                json(Account.Zulip(Auth.Basic("u", "p"), baseUrl = "https://z", rate = Rate(3, 1.minutes))),
            )
        }
        test("a configuration that has everything is taken") {
            val all =
                Config(
                    mapOf("ff" to Account.Fanfou(Auth.Basic("u", "p"))),
                    timeout = 5.seconds,
                    maxInFlight = 10,
                    retry = Retry(3, 100.milliseconds, 2.seconds, OnMaybeSent.STOP),
                    idle = 1.seconds,
                    maxConnectionsPerHost = 2,
                    proxy = "http://127.0.0.1:9",
                    userAgent = "test",
                    trace = true,
                    outbox = Outbox(folder().resolve("o.db").path, 10, 1L shl 20, 1, owner = "o", sends = true, lease = 9.seconds),
                )
            HongyanClient(all).close()
        }
        test("a message that has everything is what it says") {
            val message =
                Message(
                    "a",
                    To(users = listOf("1", "2")),
                    parts =
                        listOf(
                            Part.Text("t"),
                            Part.Mention("u", "n"),
                            Part.MentionAll,
                            Part.Face(1, "d"),
                            Part.Location(1.5, -2.0, "here"),
                            Part.Link("https://l", title = "t"),
                            Part.Custom("d", sound = "s"),
                            Part.Raw(mapOf("k" to null)),
                        ),
                    title = "T",
                    format = Format.MARKDOWN,
                    attachments = listOf(Attachment.url("https://f"), Attachment.bytes("n", ByteArray(2), "text/plain")),
                    silent = true,
                    priority = Priority.HIGH,
                    thread = "th",
                    overflow = Overflow.SPLIT,
                    replyTo = "r",
                    key = "k",
                    deadline = 1.seconds,
                    notBefore = Instant.fromEpochMilliseconds(12),
                    ordered = true,
                    extra = mapOf("x" to listOf(1, null)),
                )
            same(
                """{"v":1,"account":"a","to":{"users":["1","2"]},"parts":[{"type":"text","text":"t"},""" +
                    """{"type":"mention","user":"u","name":"n"},{"type":"mention","all":true},""" +
                    """{"type":"face","index":1,"data":"d"},""" +
                    """{"type":"location","latitude":1.5,"longitude":-2.0,"address":"here"},""" +
                    """{"type":"link","url":"https://l","title":"t"},{"type":"custom","data":"d","sound":"s"},""" +
                    """{"type":"raw","value":{"k":null}}],"title":"T","format":"markdown",""" +
                    """"attachments":[{"url":"https://f"},{"name":"n","type":"text/plain","size":2}],"silent":true,""" +
                    """"priority":"high","thread":"th","overflow":"split","reply_to":"r","key":"k","deadline_ms":1000,""" +
                    """"not_before_ms":12,"ordered":true,"extra":{"x":[1,null]}}""",
                String(message.json),
            )
            same(2, message.files!!.size)
            same(null, message.files[0])
        }
        test("what is secret is not in the words of an object") {
            val account = Account.Fanfou(Auth.Basic("user-name", "pass-word"))
            for (shown in listOf(account, Auth.Bot("pass-word"), Config(mapOf("a" to account)), toLisztli("pass-word"))) {
                same(false, "pass-word" in shown.toString())
            }
        }
        test("results for recipients and pieces are read") {
            val json =
                """{"v":1,"id":"i","token":1,"key":null,"account":"a","service":"s","delivery":"partly_sent",""" +
                    """"message_id":null,"service_time":12,"deduplicated":true,"recovered":true,"deadline":false,""" +
                    """"attempts":2,"elapsed_ms":1500,"error":{"code":205,"name":"rejected","message":"no","hint":"do"},""" +
                    """"recipients":[{"to":{"users":"1"},"delivery":"sent","message_id":"m","error":null},""" +
                    """{"to":{"users":"2"},"delivery":"not_sent","message_id":null,""" +
                    """"error":{"code":202,"name":"not_found","message":"who","retry_after_ms":20}}],""" +
                    """"pieces":[{"delivery":"maybe_sent","message_id":null,""" +
                    """"error":{"code":100,"name":"timeout","message":"late"}}],""" +
                    """"notes":[{"name":"truncated","message":"cut"}],"raw":{"n":1e2}}"""
            val receipt = Receipt(Delivery.PARTLY_SENT, json.toByteArray(), 0, json.toByteArray().size)
            same(HongyanException.PartlySent::class, receipt.error!!::class)
            same("the message was partly sent: rejected: no; do", receipt.error!!.message)
            same(1.5.seconds, receipt.elapsed)
            same(12L, receipt.serviceTime)
            same(true, receipt.isDeduplicated && receipt.isRecovered && !receipt.isOverdue)
            val (one, other) = receipt.recipients!!
            same(mapOf("users" to "1"), one.to)
            same(Delivery.SENT, one.delivery)
            same("m", one.messageId)
            same(HongyanException.NotFound::class, other.error!!::class)
            same(20.milliseconds, other.error.retryAfter)
            same(HongyanException.MaybeSent::class, receipt.pieces!!.single().error!!::class)
            same("truncated: cut", receipt.notes.single().let { "${it.name}: ${it.message}" })
            same(mapOf("n" to 100.0), receipt.raw)
            same(json, receipt.json)
            same("Receipt(partly_sent a rejected)", receipt.toString())
        }
    }
}
