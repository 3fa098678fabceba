package hongyan

internal class TextTests : Suite() {
    init {
        val hard = "a\u0000b 🪿 \ud840\udc00 é e\u0301 \u200d \" \\ \u001f \u007f \uffff \udbff\udfff"
        test("text crosses as it is, NUL and emoji too") {
            HongyanClient(sandbox.config()).use { client ->
                val receipt = client.send(Message("hook", text = hard, title = hard, key = "ключ 🔑"))
                same("ключ 🔑", receipt.key)
                val seen = sandbox.messages().single()
                same(hard, seen["text"])
                same(hard, seen["title"])
                client.send(Message.ofJson("""{"v":1,"account":"hook","text":"🪿鸿雁"}"""))
                same("🪿鸿雁", sandbox.texts().last())
            }
        }
        test("names of accounts and words of errors cross as well") {
            HongyanClient(sandbox.config()).use { client ->
                val wrong = fails<HongyanException.Message> { client.send(Message("没有 🪿", text = "x")) }
                same(true, "没有 🪿" in wrong.message!!)
            }
        }
        test("half a character is refused, and nothing is put in its place") {
            HongyanClient(sandbox.config()).use { client ->
                for (half in listOf("\ud83e", "\udebf", "a\ud83eb", "\udebf\ud83e")) {
                    fails<HongyanException> { client.send(Message("hook", text = half)) }
                    fails<IllegalArgumentException> { client.send("""{"v":1,"account":"hook","text":"$half"}""") }
                    fails<IllegalArgumentException> { client.removeAccount(half) }
                }
                same(0, sandbox.messages().size)
            }
        }
        test("a large message") {
            HongyanClient(sandbox.config()).use { client ->
                val large = "鸿🪿x\n".repeat(60_000)
                client.send(Message("hook", text = large))
                same(large, sandbox.texts().single())
                // The first byte that is too many is the core's to refuse.
                fails<HongyanException.Argument> { client.send(Message("hook", text = "x".repeat(1 shl 20))) }
            }
        }
        test("JSON is written and read as it is meant") {
            val value =
                mapOf(
                    "text" to hard,
                    "numbers" to listOf(0, -1, 1.5, 1e300, Long.MAX_VALUE, java.math.BigInteger("9".repeat(30))),
                    "words" to listOf(true, false, null),
                    "empty" to listOf(emptyMap<String, Any>(), emptyList<Any>(), ""),
                    "nested" to mapOf("a" to mapOf("b" to null)),
                )
            val written = JsonWriter(1).also { it.value(value) }.toByteArray()
            val read = Json.objectOf(written)
            same(hard, read["text"])
            same("[0, -1, 1.5, 1.0E300, ${Long.MAX_VALUE}, ${"9".repeat(30)}]", read["numbers"].toString())
            same(value["words"], read["words"])
            same(value["empty"], read["empty"])
            same(value["nested"], read["nested"])
            same(mapOf("é\n\"/" to "\ud83e\udebf"), Json.read("""{"\u00e9\n\"\/":"\ud83e\udebf"}""".toByteArray()))
            for (name in value.keys) same(read[name], Json.member(written, 0, written.size, name))
            val spaced = " { \"a\\\"\" : [ \"]}\\\\\" , {\"b\":1} ] , \"b\" : -2 , \"c\":{} } ".toByteArray()
            same(-2L, Json.member(spaced, 0, spaced.size, "b"))
            same(emptyMap<String, Any?>(), Json.member(spaced, 0, spaced.size, "c"))
            same(null, Json.member(spaced, 0, spaced.size, "d"))
            same(null, Json.member("{}".toByteArray(), 0, 2, "d"))
            for (wrong in listOf("", "{", "[1,]", "\"", "tru", "1 2", "{\"a\"}", "[1 2]", "\"\\u12")) {
                fails<RuntimeException> { Json.read(wrong.toByteArray()) }
            }
            fails<IllegalArgumentException> { JsonWriter().value(Double.NaN) }
            fails<IllegalArgumentException> { JsonWriter().value(this) }
            val circle = ArrayList<Any>()
            circle.add(circle)
            fails<IllegalArgumentException> { JsonWriter().value(circle) }
        }
    }
}
