package hongyan

import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlinx.coroutines.CancellationException

/**
 * What went wrong: with a call, or with the delivery of a message. One class a code, and two for what was not
 * plainly unsent: [MaybeSent] and [PartlySent], whose [name] and [code] tell the cause.
 */
public sealed class HongyanException
private constructor(private val fields: Map<String, Any?>, public val receipt: Receipt?, before: String = "") :
    Exception(before + fields["message"] + (fields["hint"]?.let { "; $it" } ?: "")) {
    /** The number of the code, the same in every language. */
    public val code: Int
        get() = (fields["code"] as Long).toInt()

    /** The name of the code, for instance `rate_limited`. */
    public val name: String
        get() = fields["name"] as String

    /** Whether the message arrived. */
    public open val delivery: Delivery
        get() = Delivery.NOT_SENT

    /** True only if nothing was sent and a later try may work. */
    public val isRetryable: Boolean
        get() = fields["retryable"] == true

    /** How long to wait before that try, where the service or the library knows. */
    public val retryAfter: Duration?
        get() = (fields["retry_after_ms"] as Long?)?.milliseconds

    /** The service's own code, where it gave one. */
    public val serviceCode: String?
        get() = fields["service_code"] as String?

    /** The HTTP status of the service's answer, where there was one. */
    public val httpStatus: Int?
        get() = (fields["http_status"] as Long?)?.toInt()

    /** Where in the configuration or the message, for instance `parts[1].type`. */
    public val path: String?
        get() = fields["path"] as String?

    /** What to do about it, where there is advice. */
    public val hint: String?
        get() = fields["hint"] as String?

    /** The account and its service, where it was one's. */
    public val account: String?
        get() = fields["account"] as String?

    public val service: String?
        get() = fields["service"] as String?

    /** All that is known, as JSON: the same in every language. */
    public val json: String
        get() = JsonWriter().run {
            value(fields)
            String(toByteArray(), Charsets.UTF_8)
        }

    /** Nobody can know whether the message arrived; sending it again may make two of it. */
    public class MaybeSent internal constructor(fields: Map<String, Any?>, receipt: Receipt?) :
        HongyanException(fields, receipt, "the message may have been sent: ${fields["name"]}: ") {
        override val delivery: Delivery
            get() = Delivery.MAYBE_SENT
    }

    /** Some recipients, or parts of the text, have arrived, the others surely have not: [receipt] tells which. */
    public class PartlySent internal constructor(fields: Map<String, Any?>, receipt: Receipt?) :
        HongyanException(fields, receipt, "the message was partly sent: ${fields["name"]}: ") {
        override val delivery: Delivery
            get() = Delivery.PARTLY_SENT
    }

    // Below: make accounts
    /** A bug in the library. */
    public class Internal internal constructor(fields: Map<String, Any?>, receipt: Receipt?) :
        HongyanException(fields, receipt)

    /** A panic inside the library was caught. */
    public class Panic internal constructor(fields: Map<String, Any?>, receipt: Receipt?) :
        HongyanException(fields, receipt)

    /** A bad pointer, text that is not UTF-8, or JSON that cannot be read. */
    public class Argument internal constructor(fields: Map<String, Any?>, receipt: Receipt?) :
        HongyanException(fields, receipt)

    /** The configuration is wrong; the path says where. */
    public class Config internal constructor(fields: Map<String, Any?>, receipt: Receipt?) :
        HongyanException(fields, receipt)

    /** The client is closed. */
    public class Closed internal constructor(fields: Map<String, Any?>, receipt: Receipt?) :
        HongyanException(fields, receipt)

    /** The handle was made before fork(). */
    public class Forked internal constructor(fields: Map<String, Any?>, receipt: Receipt?) :
        HongyanException(fields, receipt)

    /** max_in_flight is reached; the message says whose. */
    public class Full internal constructor(fields: Map<String, Any?>, receipt: Receipt?) :
        HongyanException(fields, receipt)

    /** The send was cancelled. */
    public class Cancelled internal constructor(fields: Map<String, Any?>, receipt: Receipt?) :
        HongyanException(fields, receipt)

    /** Called from inside the log function. */
    public class Reentrant internal constructor(fields: Map<String, Any?>, receipt: Receipt?) :
        HongyanException(fields, receipt)

    /** The message itself is wrong and never reached the network; the path says where. */
    public class Message internal constructor(fields: Map<String, Any?>, receipt: Receipt?) :
        HongyanException(fields, receipt)

    /** This service cannot carry that recipient or part; nothing reached the network. */
    public class Unsupported internal constructor(fields: Map<String, Any?>, receipt: Receipt?) :
        HongyanException(fields, receipt)

    /** The deadline passed before anything was sent. */
    public class Expired internal constructor(fields: Map<String, Any?>, receipt: Receipt?) :
        HongyanException(fields, receipt)

    /** The outbox: disk, corruption or schema. */
    public class Storage internal constructor(fields: Map<String, Any?>, receipt: Receipt?) :
        HongyanException(fields, receipt)

    /** An older version has the outbox's file open, or others open it for too long. */
    public class Locked internal constructor(fields: Map<String, Any?>, receipt: Receipt?) :
        HongyanException(fields, receipt)

    /** The feature is not in this build. */
    public class Unavailable internal constructor(fields: Map<String, Any?>, receipt: Receipt?) :
        HongyanException(fields, receipt)

    /** The time ran out. */
    public class Timeout internal constructor(fields: Map<String, Any?>, receipt: Receipt?) :
        HongyanException(fields, receipt)

    /** DNS, connection, proxy, or a connection lost on the way. */
    public class Network internal constructor(fields: Map<String, Any?>, receipt: Receipt?) :
        HongyanException(fields, receipt)

    /** The secure connection could not be made. */
    public class Tls internal constructor(fields: Map<String, Any?>, receipt: Receipt?) :
        HongyanException(fields, receipt)

    /** An answer that cannot be understood. */
    public class Protocol internal constructor(fields: Map<String, Any?>, receipt: Receipt?) :
        HongyanException(fields, receipt)

    /** The service refused the credentials. */
    public class Auth internal constructor(fields: Map<String, Any?>, receipt: Receipt?) :
        HongyanException(fields, receipt)

    /** The sender or the app may not do this. */
    public class Forbidden internal constructor(fields: Map<String, Any?>, receipt: Receipt?) :
        HongyanException(fields, receipt)

    /** There is no such recipient. */
    public class NotFound internal constructor(fields: Map<String, Any?>, receipt: Receipt?) :
        HongyanException(fields, receipt)

    /** Too fast. */
    public class RateLimited internal constructor(fields: Map<String, Any?>, receipt: Receipt?) :
        HongyanException(fields, receipt)

    /** The content is too long; also when refused locally. */
    public class TooLarge internal constructor(fields: Map<String, Any?>, receipt: Receipt?) :
        HongyanException(fields, receipt)

    /** The content or the request was refused. */
    public class Rejected internal constructor(fields: Map<String, Any?>, receipt: Receipt?) :
        HongyanException(fields, receipt)

    /** The service's own fault. */
    public class Service internal constructor(fields: Map<String, Any?>, receipt: Receipt?) :
        HongyanException(fields, receipt)

    /** The service says that this was already sent. */
    public class Duplicate internal constructor(fields: Map<String, Any?>, receipt: Receipt?) :
        HongyanException(fields, receipt)

    /** The service says OK but threw the message away. */
    public class Dropped internal constructor(fields: Map<String, Any?>, receipt: Receipt?) :
        HongyanException(fields, receipt)

    /** The allowance of the day or the plan is used up. */
    public class Quota internal constructor(fields: Map<String, Any?>, receipt: Receipt?) :
        HongyanException(fields, receipt)

    /** By the number of the code. */
    private object Kinds {
        fun of(fields: Map<String, Any?>, receipt: Receipt?): HongyanException =
            when ((fields["code"] as Long).toInt()) {
                1 -> Internal(fields, receipt)
                2 -> Panic(fields, receipt)
                3 -> Argument(fields, receipt)
                4 -> Config(fields, receipt)
                5 -> Closed(fields, receipt)
                6 -> Forked(fields, receipt)
                7 -> Full(fields, receipt)
                8 -> Cancelled(fields, receipt)
                9 -> Reentrant(fields, receipt)
                10 -> Message(fields, receipt)
                11 -> Unsupported(fields, receipt)
                12 -> Expired(fields, receipt)
                13 -> Storage(fields, receipt)
                14 -> Locked(fields, receipt)
                15 -> Unavailable(fields, receipt)
                100 -> Timeout(fields, receipt)
                101 -> Network(fields, receipt)
                102 -> Tls(fields, receipt)
                103 -> Protocol(fields, receipt)
                200 -> Auth(fields, receipt)
                201 -> Forbidden(fields, receipt)
                202 -> NotFound(fields, receipt)
                203 -> RateLimited(fields, receipt)
                204 -> TooLarge(fields, receipt)
                205 -> Rejected(fields, receipt)
                206 -> Service(fields, receipt)
                207 -> Duplicate(fields, receipt)
                208 -> Dropped(fields, receipt)
                209 -> Quota(fields, receipt)
                // Of a library that is newer than this.
                else -> Internal(fields, receipt)
            }
    }

    // End

    internal companion object {
        fun of(fields: Map<String, Any?>, receipt: Receipt?): HongyanException =
            of(fields, receipt, receipt?.delivery ?: Delivery.NOT_SENT)

        /** Of one recipient or piece. */
        @Suppress("UNCHECKED_CAST")
        fun ofPart(fields: Any?, delivery: Delivery): HongyanException? =
            (fields as Map<String, Any?>?)?.let { of(it, null, delivery) }

        private fun of(fields: Map<String, Any?>, receipt: Receipt?, delivery: Delivery): HongyanException =
            when (delivery) {
                Delivery.MAYBE_SENT -> MaybeSent(fields, receipt)
                Delivery.PARTLY_SENT -> PartlySent(fields, receipt)
                else -> Kinds.of(fields, receipt)
            }
    }
}

/**
 * A send whose coroutine was cancelled, and which was cancelled therefore: [receipt] says what had become true.
 *
 * `withTimeout` throws an exception of its own; [receiptOf] finds the receipt behind that.
 */
public class SendCancelledException internal constructor(public val receipt: Receipt, cause: CancellationException) :
    CancellationException("the send was cancelled: $receipt") {
    init {
        initCause(cause)
    }
}

/** The receipt of the message that an exception is about, if it has one. */
public fun receiptOf(error: Throwable?): Receipt? {
    val waiting = ArrayDeque<Throwable>()
    val seen = HashSet<Throwable>()
    error?.let(waiting::add)
    while (true) {
        val one = waiting.removeFirstOrNull() ?: return null
        if (!seen.add(one)) continue
        (one as? HongyanException)?.receipt?.let { return it }
        (one as? SendCancelledException)?.let { return it.receipt }
        one.cause?.let(waiting::add)
        waiting.addAll(one.suppressed)
    }
}
