package hongyan

import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds

/** Whether a message arrived. */
public enum class Delivery {
    /** Sending it again cannot make two of it. */
    NOT_SENT,

    /** Nobody can know. */
    MAYBE_SENT,

    /** The service said so. */
    SENT,

    /** Some recipients, or parts of the text, have it; the others surely have not. */
    PARTLY_SENT;

    internal companion object {
        fun of(name: Any?): Delivery = entries.first { it.name.equals(name as String, ignoreCase = true) }
    }
}

/** What became of a message for one of its recipients: [to] has its kind and its name. */
public class RecipientResult internal constructor(fields: Map<String, Any?>) {
    public val to: Map<String, String> = (fields["to"] as Map<*, *>).entries.associate { "${it.key}" to "${it.value}" }
    public val delivery: Delivery = Delivery.of(fields["delivery"])
    public val messageId: String? = fields["message_id"] as String?

    /** Why it is not sent. */
    public val error: HongyanException? = HongyanException.ofPart(fields["error"], delivery)
}

/** What became of one piece of a text that was split. */
public class PieceResult internal constructor(fields: Map<String, Any?>) {
    public val delivery: Delivery = Delivery.of(fields["delivery"])
    public val messageId: String? = fields["message_id"] as String?

    /** Why it is not sent. */
    public val error: HongyanException? = HongyanException.ofPart(fields["error"], delivery)
}

/** Something worth knowing that is no error: `accepted_only`, `truncated`, `readdressed` or `converted`. */
public class Note internal constructor(public val name: String, public val message: String)

/** What became of one message. Immutable; it outlives its client. */
public class Receipt
internal constructor(
    public val delivery: Delivery,
    private val bytes: ByteArray,
    private val from: Int,
    private val length: Int,
) {
    /** Most are never asked for, and the answer of a service may be long: so each is read when it is. */
    private fun member(name: String): Any? = Json.member(bytes, from, length, name)

    /** The library's own id of the message. */
    public val id: String
        get() = member("id") as String

    /** The idempotency key that was given with the message. */
    public val key: String?
        get() = member("key") as String?

    /** The account that sent it. */
    public val account: String
        get() = member("account") as String

    /** The service of that account; null where there is no such account. */
    public val service: String?
        get() = member("service") as String?

    /** The service's id of the message, exact to the last digit; null where it gives none. */
    public val messageId: String?
        get() = member("message_id") as String?

    /** When the service says it took the message, in Unix seconds. */
    public val serviceTime: Long?
        get() = member("service_time") as Long?

    /** The service had this message already, so that it was sent once. */
    public val isDeduplicated: Boolean
        get() = member("deduplicated") == true

    /** An earlier process began this send. */
    public val isRecovered: Boolean
        get() = member("recovered") == true

    /** A time limit of the caller ended it. */
    public val isOverdue: Boolean
        get() = member("deadline") == true

    /** How many requests were begun. */
    public val attempts: Int
        get() = (member("attempts") as Long).toInt()

    /** From accept to verdict. */
    public val elapsed: Duration
        get() = (member("elapsed_ms") as Long).milliseconds

    /** Why it is not sent; null if it is. Made anew each time. */
    public val error: HongyanException?
        get() = if (delivery == Delivery.SENT) null else HongyanException.of(map(member("error")), this)

    /** What became of it for each recipient, in the order of the message; null where it named no list of them. */
    public val recipients: List<RecipientResult>?
        get() = (member("recipients") as List<*>?)?.map { RecipientResult(map(it)) }

    /** What became of each piece of a text that was split; null of any other. */
    public val pieces: List<PieceResult>?
        get() = (member("pieces") as List<*>?)?.map { PieceResult(map(it)) }

    /** What is worth knowing and no error. */
    public val notes: List<Note>
        get() = (member("notes") as List<*>).map { note -> map(note).let { Note("${it["name"]}", "${it["message"]}") } }

    /** The service's last answer with its secrets masked: what its JSON says, or else a String. */
    public val raw: Any?
        get() = member("raw")

    /** The whole result as JSON text, the same in every language. */
    public val json: String
        get() = String(bytes, from, length, Charsets.UTF_8)

    override fun toString(): String {
        val more = (member("error") as Map<*, *>?)?.let { " ${it["name"]}" } ?: messageId?.let { " $it" } ?: ""
        return "Receipt(${delivery.name.lowercase()} $account$more)"
    }

    override fun equals(other: Any?): Boolean = other is Receipt && other.id == id

    override fun hashCode(): Int = id.hashCode()

    @Suppress("UNCHECKED_CAST") private fun map(value: Any?): Map<String, Any?> = value as Map<String, Any?>

    internal companion object {
        private val DELIVERIES = Delivery.entries.toTypedArray()

        /** Takes receipts, each with its token, out of the array that they came in. */
        fun unpack(packed: ByteArray, each: (Long, Receipt) -> Unit) {
            var at = 0
            while (at < packed.size) {
                val token = number(packed, at, 8)
                val delivery = DELIVERIES[packed[at + 8].toInt()]
                val length = number(packed, at + 9, 4).toInt()
                at += 13
                // One that came alone has the array for itself.
                val receipt =
                    if (at == 13 && at + length == packed.size) Receipt(delivery, packed, at, length)
                    else Receipt(delivery, packed.copyOfRange(at, at + length), 0, length)
                at += length
                each(token, receipt)
            }
        }

        private fun number(bytes: ByteArray, at: Int, size: Int): Long {
            var number = 0L
            for (i in at until at + size) number = number shl 8 or (bytes[i].toLong() and 0xff)
            return number
        }
    }
}
