package hongyan

import java.math.BigDecimal
import java.math.BigInteger

/** What goes to the library as a JSON object; a field that is null is left out. */
public abstract class JsonObject internal constructor(@JvmSynthetic internal val fields: Map<String, Any?>)

/** The fields that are not null, of names and values by turns. */
internal fun given(vararg fields: Any?): Map<String, Any?> {
    val given = LinkedHashMap<String, Any?>()
    for (i in fields.indices step 2) given[fields[i] as String] = fields[i + 1] ?: continue
    return given
}

/** Writes JSON as UTF-8. */
internal class JsonWriter(capacity: Int = 256) {
    private var bytes = ByteArray(capacity)
    private var size = 0
    private var depth = 0

    fun toByteArray(): ByteArray = if (size == bytes.size) bytes else bytes.copyOf(size)

    /** Writes the fields that are not null as an object. */
    fun fields(of: Map<*, *>): JsonWriter {
        byte('{')
        var first = true
        for ((name, value) in of) {
            if (value == null) continue
            if (!first) byte(',')
            first = false
            string(name as? String ?: throw IllegalArgumentException("a name in JSON is text, not $name"))
            byte(':')
            value(value)
        }
        byte('}')
        return this
    }

    fun value(value: Any?) {
        require(++depth <= DEEPEST) { "JSON nested deeper than $DEEPEST" }
        when (value) {
            null, Null -> ascii("null")
            is CharSequence -> string(value)
            is JsonObject -> fields(value.fields)
            is Boolean, is Int, is Long, is Short, is Byte, is BigInteger, is BigDecimal -> ascii(value.toString())
            is Double, is Float -> {
                val number = (value as Number).toDouble()
                require(number.isFinite()) { "$number is no number of JSON" }
                ascii(value.toString())
            }
            is Map<*, *> -> map(value)
            is Iterable<*> -> list(value.iterator())
            is Array<*> -> list(value.iterator())
            else -> throw IllegalArgumentException("a ${value.javaClass.name} is no value of JSON")
        }
        depth--
    }

    private fun map(map: Map<*, *>) {
        if (map.containsValue(null)) return fields(map.mapValues { it.value ?: Null }).let {}
        fields(map)
    }

    private fun list(items: Iterator<*>) {
        byte('[')
        while (items.hasNext()) {
            value(items.next())
            if (items.hasNext()) byte(',')
        }
        byte(']')
    }

    fun string(text: CharSequence) {
        byte('"')
        var i = 0
        while (i < text.length) {
            val c = text[i++].code
            when {
                c == '"'.code || c == '\\'.code -> {
                    byte('\\')
                    byte(c)
                }
                c < 0x20 -> escape(c)
                c < 0x80 -> byte(c)
                c < 0x800 -> {
                    byte(0xc0 or (c shr 6))
                    byte(0x80 or (c and 0x3f))
                }
                c !in 0xd800..0xdfff -> {
                    byte(0xe0 or (c shr 12))
                    byte(0x80 or (c shr 6 and 0x3f))
                    byte(0x80 or (c and 0x3f))
                }
                c < 0xdc00 && i < text.length && text[i].isLowSurrogate() -> {
                    val point = Character.toCodePoint(c.toChar(), text[i++])
                    byte(0xf0 or (point shr 18))
                    byte(0x80 or (point shr 12 and 0x3f))
                    byte(0x80 or (point shr 6 and 0x3f))
                    byte(0x80 or (point and 0x3f))
                }
                // Half a character: the core says where it stands.
                else -> escape(c)
            }
        }
        byte('"')
    }

    private fun escape(c: Int) {
        ascii("\\u")
        for (shift in intArrayOf(12, 8, 4, 0)) byte("0123456789abcdef"[c shr shift and 15])
    }

    fun ascii(text: String) {
        for (c in text) byte(c)
    }

    private fun byte(c: Char) = byte(c.code)

    private fun byte(value: Int) {
        if (size == bytes.size) bytes = bytes.copyOf(size * 2)
        bytes[size++] = value.toByte()
    }

    /** A null that is written. */
    object Null

    private companion object {
        /** The core takes 64; that it is too deep it shall say itself. */
        const val DEEPEST = 100
    }
}

/** Reads the JSON that the core writes. */
internal class Json private constructor(private val bytes: ByteArray, private var at: Int, private val end: Int) {
    private fun value(): Any? {
        blank()
        return when (val c = peek()) {
            '{' -> map()
            '[' -> list()
            '"' -> string()
            't' -> word("true", true)
            'f' -> word("false", false)
            'n' -> word("null", null)
            else -> if (c == '-' || c in '0'..'9') number() else fail()
        }
    }

    private fun map(): Map<String, Any?> {
        val map = LinkedHashMap<String, Any?>()
        at++
        blank()
        if (peek() == '}') return map.also { at++ }
        while (true) {
            blank()
            val name = string()
            blank()
            if (next() != ':') fail()
            map[name] = value()
            blank()
            when (next()) {
                ',' -> continue
                '}' -> return map
                else -> fail()
            }
        }
    }

    private fun list(): List<Any?> {
        val list = ArrayList<Any?>()
        at++
        blank()
        if (peek() == ']') return list.also { at++ }
        while (true) {
            list += value()
            blank()
            when (next()) {
                ',' -> continue
                ']' -> return list
                else -> fail()
            }
        }
    }

    private fun string(): String {
        if (next() != '"') fail()
        val begin = at
        while (peek() != '"') if (next() == '\\') return escaped(begin)
        return String(bytes, begin, at++ - begin, Charsets.UTF_8)
    }

    private fun escaped(begin: Int): String {
        val text = StringBuilder(String(bytes, begin, at - 1 - begin, Charsets.UTF_8))
        at--
        while (true) {
            val from = at
            while (peek() != '"' && peek() != '\\') at++
            text.append(String(bytes, from, at - from, Charsets.UTF_8))
            if (next() == '"') return text.toString()
            when (val c = next()) {
                'n' -> text.append('\n')
                't' -> text.append('\t')
                'r' -> text.append('\r')
                'b' -> text.append('\b')
                'f' -> text.append('\u000c')
                'u' -> {
                    text.append(String(bytes, at, 4, Charsets.US_ASCII).toInt(16).toChar())
                    at += 4
                }
                else -> text.append(c)
            }
        }
    }

    /** The value of this member, null if there is none; nothing else is read. */
    private fun find(name: String): Any? {
        blank()
        if (next() != '{') fail()
        blank()
        if (peek() == '}') return null
        while (true) {
            blank()
            val begin = at + 1
            skipString()
            val isFound = at - 1 - begin == name.length && name.indices.all { bytes[begin + it].toInt() == name[it].code }
            blank()
            if (next() != ':') fail()
            if (isFound) return value()
            skipValue()
            if (next() != ',') return null
        }
    }

    private fun skipString() {
        if (next() != '"') fail()
        while (true) {
            when (next()) {
                '"' -> return
                '\\' -> at++
            }
        }
    }

    /** Goes to the comma behind a value, or to what ends the object that it is in. */
    private fun skipValue() {
        var depth = 0
        while (true) {
            when (peek()) {
                '"' -> {
                    skipString()
                    continue
                }
                '{', '[' -> depth++
                '}', ']' -> if (depth-- == 0) return
                ',' -> if (depth == 0) return
            }
            at++
        }
    }

    private fun number(): Number {
        val begin = at
        while (at < end && (peek() in '0'..'9' || peek() in "+-.eE")) at++
        val text = String(bytes, begin, at - begin, Charsets.US_ASCII)
        return text.toLongOrNull() ?: if (text.all { it in "-0123456789" }) BigInteger(text) else text.toDouble()
    }

    private fun <T> word(word: String, value: T): T {
        for (c in word) if (next() != c) fail()
        return value
    }

    private fun blank() {
        while (at < end && peek() in " \n\r\t") at++
    }

    private fun peek(): Char = if (at < end) bytes[at].toInt().toChar() else fail()

    private fun next(): Char = peek().also { at++ }

    private fun fail(): Nothing = throw IllegalArgumentException("no JSON at byte $at")

    companion object {
        fun read(bytes: ByteArray, from: Int = 0, length: Int = bytes.size): Any? {
            val json = Json(bytes, from, from + length)
            return json.value().also {
                json.blank()
                if (json.at < json.end) json.fail()
            }
        }

        fun member(bytes: ByteArray, from: Int, length: Int, name: String): Any? =
            Json(bytes, from, from + length).find(name)

        @Suppress("UNCHECKED_CAST")
        fun objectOf(bytes: ByteArray, from: Int = 0, length: Int = bytes.size): Map<String, Any?> =
            read(bytes, from, length) as Map<String, Any?>
    }
}

/** Text as UTF-8; half a character is refused and not replaced. */
internal fun utf8(text: String, what: String): ByteArray {
    for (i in text.indices) {
        val half =
            when {
                text[i].isHighSurrogate() -> i + 1 == text.length || !text[i + 1].isLowSurrogate()
                text[i].isLowSurrogate() -> i == 0 || !text[i - 1].isHighSurrogate()
                else -> false
            }
        require(!half) { "$what has half a character at $i" }
    }
    return text.toByteArray(Charsets.UTF_8)
}
