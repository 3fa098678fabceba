package hongyan

import kotlin.time.Duration
import kotlin.time.Instant

/** What a text is written in. */
public enum class Format {
    PLAIN,
    MARKDOWN,
    HTML,
}

/** How much a message matters. */
public enum class Priority {
    LOW,
    NORMAL,
    HIGH,
    URGENT,
}

/** What becomes of a text that is too long. */
public enum class Overflow {
    REFUSE,
    TRUNCATE,
    SPLIT,
}

/** A message to send; immutable, and as good for one send as for many. */
public class Message
private constructor(internal val json: ByteArray, internal val files: Array<ByteArray?>?, internal val readsFiles: Boolean) {
    /**
     * A message from [account], an account by its name in the configuration.
     *
     * What a service cannot carry is refused by the send, as is all that is wrong with the message.
     *
     * @param to to whom; null where the account has a recipient of its own, or its URL is one
     * @param text the text
     * @param parts instead of [text]: its elements
     * @param title a title or subject; where the service has none, the first line of the text
     * @param format what the text is written in
     * @param attachments files to send along
     * @param silent true: without a sound, where the service can do that
     * @param thread the thread to write into, where the service has threads
     * @param overflow what becomes of a text that is too long; by default it is refused
     * @param replyTo the id of the message that this one answers
     * @param key an idempotency key: messages of one account with one key are one message
     * @param deadline how long from the send on it is worth sending
     * @param notBefore when to send it at the earliest
     * @param ordered true: after the earlier ordered messages to the same recipient
     * @param extra parameters of the service under its own names
     */
    public constructor(
        account: String,
        to: To? = null,
        text: String? = null,
        parts: List<Part>? = null,
        title: String? = null,
        format: Format? = null,
        attachments: List<Attachment> = emptyList(),
        silent: Boolean? = null,
        priority: Priority? = null,
        thread: String? = null,
        overflow: Overflow? = null,
        replyTo: String? = null,
        key: String? = null,
        deadline: Duration? = null,
        notBefore: Instant? = null,
        ordered: Boolean? = null,
        extra: Map<String, Any?>? = null,
    ) : this(
        JsonWriter(192 + (text?.length ?: 0))
            .run {
                ascii("{\"v\":1,\"account\":")
                string(account)
                field("to", to)
                field("text", text)
                field("parts", parts)
                field("title", title)
                field("format", format?.name?.lowercase())
                field("attachments", attachments.ifEmpty { null })
                field("silent", silent)
                field("priority", priority?.name?.lowercase())
                field("thread", thread)
                field("overflow", overflow?.name?.lowercase())
                field("reply_to", replyTo)
                field("key", key)
                field("deadline_ms", deadline?.inWholeMilliseconds)
                field("not_before_ms", notBefore?.toEpochMilliseconds())
                field("ordered", ordered)
                field("extra", extra)
                ascii("}")
                toByteArray()
            },
        if (attachments.none { it.bytes != null }) null else Array(attachments.size) { attachments[it].bytes },
        attachments.any { "path" in it.fields },
    )

    public companion object {
        /** A message as JSON text, which says `"v": 1` and the account. */
        @JvmStatic
        public fun ofJson(json: String): Message = Message(utf8(json, "the message"), null, "\"path\"" in json)

        private fun JsonWriter.field(name: String, value: Any?) {
            if (value == null) return
            ascii(",\"")
            ascii(name)
            ascii("\":")
            value(value)
        }
    }
}

/** A file to send along. */
public class Attachment private constructor(fields: Map<String, Any?>, internal val bytes: ByteArray?) :
    JsonObject(fields) {
    public companion object {
        /** A file on this machine, which is read when the message is sent. */
        @JvmStatic
        @JvmOverloads
        public fun path(path: String, name: String? = null, type: String? = null): Attachment =
            Attachment(mapOf("path" to path, "name" to name, "type" to type), null)

        /** The bytes of a file, up to 100 MiB. */
        @JvmStatic
        @JvmOverloads
        public fun bytes(name: String, bytes: ByteArray, type: String? = null): Attachment =
            Attachment(mapOf("name" to name, "type" to type, "size" to bytes.size), bytes)

        /** A file that the service itself fetches. */
        @JvmStatic
        @JvmOverloads
        public fun url(url: String, name: String? = null, type: String? = null): Attachment =
            Attachment(mapOf("url" to url, "name" to name, "type" to type), null)
    }
}

/** An element of a message that is more than plain text. */
public sealed class Part(type: String, vararg fields: Pair<String, Any?>) : JsonObject(mapOf("type" to type, *fields)) {
    /** Text, between other parts. */
    public class Text(text: String) : Part("text", "text" to text)

    /** A user who is called by name: `@name`, or `@user` if no name is given. */
    public class Mention(user: String, name: String? = null) : Part("mention", "user" to user, "name" to name)

    /** Everybody is called. */
    public object MentionAll : Part("mention", "all" to true)

    /** A sticker of the app's own: its number, and what the app wants to know besides. */
    public class Face(index: Int, data: String? = null) : Part("face", "index" to index, "data" to data)

    /** A place: degrees north, degrees east, and what it is called. */
    public class Location(latitude: Double, longitude: Double, address: String? = null) :
        Part("location", "latitude" to latitude, "longitude" to longitude, "address" to address)

    /** A link with its preview: title, a few words, a small picture and the picture in full size. */
    public class Link(
        url: String,
        title: String? = null,
        description: String? = null,
        thumbnail: String? = null,
        image: String? = null,
    ) :
        Part(
            "link",
            "url" to url,
            "title" to title,
            "description" to description,
            "thumbnail" to thumbnail,
            "image" to image,
        )

    /** Data that only the receiving app understands, and what a notification of it says. */
    public class Custom(data: String, desc: String? = null, ext: String? = null, sound: String? = null) :
        Part("custom", "data" to data, "desc" to desc, "ext" to ext, "sound" to sound)

    /** The service's own element, passed through as it is. */
    public class Raw(value: Map<String, Any?>) : Part("raw", "value" to value)
}
