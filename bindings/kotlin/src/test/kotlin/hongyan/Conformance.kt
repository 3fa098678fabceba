package hongyan

import java.io.File
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.toList

/** The cases of `tests/conformance`, as its README.md tells; `HONGYAN_CONFORMANCE` names the folder. */
internal class Conformance : Suite() {
    private val folder = File(System.getenv("HONGYAN_CONFORMANCE") ?: "tests/conformance")
    private val index = Json.objectOf(folder.resolve("index.json").readBytes())
    private var done = 0

    init {
        test("the comparison") {
            val pairs = list(read("compare.json")["pairs"])
            for (pair in pairs) same(pair["fits"], difference(pair["expect"], pair["found"], "$") == null)
            same(index["pairs"], pairs.size.toLong())
        }
        val files = index["files"] as Map<*, *>
        for ((name, count) in files) {
            test("$name") {
                val file = read("$name.json")
                val cases = list(file["cases"])
                for (case in cases) {
                    sandbox.reset()
                    HongyanClient(text(case["config"] ?: file["config"])).let { client ->
                        try {
                            Case(client).run(list(case["steps"]), "$name: ${case["name"]}")
                        } finally {
                            client.close(Duration.ZERO)
                        }
                    }
                    done++
                }
                same(count, cases.size.toLong())
                if (name == files.keys.last()) println("conformance: $done cases in ${files.size} files")
            }
        }
    }

    private inner class Case(private val client: HongyanClient) {
        private val submissions = HashMap<String, Submission>()
        private val results = HashMap<String, Receipt>()
        private var seen = 0

        suspend fun run(steps: List<Map<*, *>>, place: String) {
            for ((i, step) in steps.withIndex()) {
                try {
                    take(step)
                } catch (failure: Throwable) {
                    throw AssertionError("$place: step ${i + 1}: ${failure.message}", failure)
                }
            }
        }

        private suspend fun take(step: Map<*, *>) {
            val known = MEMBERS[step["op"]] ?: error("an op that nobody knows: ${step["op"]}")
            check(step.keys.all { it == "op" || it in known }) { "a member that nobody knows: ${step.keys}" }
            when (step["op"]) {
                "sandbox" -> sandbox.ask(step["do"] as String, step["body"]).let { if ("expect" in step) compare(step, it) }
                "open" -> call(step) { HongyanClient(text(step["config"])).close() }
                "send" -> call(step) { compare(step, parsed(outcome(step))) }
                "submit" -> call(step) { submissions[step["as"] as String] = client.submit(message(step), timeout(step)) }
                "result" -> compare(step, parsed(result(submissions.getValue(step["of"] as String).id)))
                "cancel" -> submissions.getValue(step["of"] as String).cancel()
                "close" -> same(step["unfinished"], client.close(timeout(step)).toLong())
                else -> {
                    same(submissions.size, seen)
                    same(emptyList<Receipt>(), client.results().toList())
                }
            }
        }

        /** The receipt of a send, of one that failed as well. */
        private suspend fun outcome(step: Map<*, *>): Receipt =
            try {
                client.send(message(step), timeout(step))
            } catch (failure: HongyanException) {
                failure.receipt ?: throw failure
            }

        private suspend fun result(id: String): Receipt {
            while (id !in results) {
                val receipt = client.results().first()
                check(submissions.values.any { it.id == receipt.id }) { "whose result is it" }
                check(results.put(receipt.id, receipt) == null) { "a result came twice" }
            }
            seen++
            return results.getValue(id)
        }

        private fun parsed(receipt: Receipt) = Json.read(receipt.json.toByteArray())
    }

    private suspend fun call(step: Map<*, *>, does: suspend () -> Unit) {
        try {
            does()
        } catch (failure: HongyanException) {
            if ("error" !in step) throw failure
            return compare(step, Json.read(failure.json.toByteArray()), "error")
        }
        check("error" !in step) { "the call did not fail" }
    }

    private fun compare(step: Map<*, *>, found: Any?, name: String = "expect") {
        check(name in step) { "there is no $name" }
        difference(step[name], found, "$")?.let { throw AssertionError(it) }
    }

    /** What is otherwise than expected; null if nothing is. */
    private fun difference(expected: Any?, found: Any?, place: String): String? {
        val same =
            when (expected) {
                is Map<*, *> -> {
                    if (found !is Map<*, *> || expected.keys.any { it !in found }) false
                    else return expected.firstNotNullOfOrNull { (name, value) -> difference(value, found[name], "$place.$name") }
                }
                is List<*> -> {
                    if (found !is List<*> || found.size != expected.size) false
                    else return expected.indices.firstNotNullOfOrNull { difference(expected[it], found[it], "$place[$it]") }
                }
                "{string}" -> found is String && found.isNotEmpty()
                "{number}" -> found is Number
                is Number -> found is Number && expected.toDouble() == found.toDouble()
                else -> expected == found
            }
        return if (same) null else "$place: expected $expected, found $found"
    }

    private fun read(name: String): Map<String, Any?> {
        val url = sandbox.url
        val text = folder.resolve(name).readText().replace("{sandbox}", url).replace("{port}", url.substringAfterLast(':'))
        return Json.objectOf(text.toByteArray())
    }

    private fun list(value: Any?) = (value as List<*>).map { it as Map<*, *> }

    private fun text(value: Any?) = String(JsonWriter().also { it.value(value) }.toByteArray())

    private fun message(step: Map<*, *>) = Message.ofJson(step["json"] as String? ?: text(step["message"]))

    private fun timeout(step: Map<*, *>): Duration =
        (step["timeout_ms"] as Long?)?.takeIf { it >= 0 }?.milliseconds ?: Duration.INFINITE

    private companion object {
        val MEMBERS =
            mapOf(
                "sandbox" to setOf("do", "body", "expect"),
                "open" to setOf("config", "error"),
                "send" to setOf("message", "json", "timeout_ms", "expect", "error"),
                "submit" to setOf("as", "message", "json", "timeout_ms", "error"),
                "result" to setOf("of", "expect"),
                "cancel" to setOf("of"),
                "close" to setOf("timeout_ms", "unfinished"),
                "end" to setOf(),
            )
    }
}
