package hongyan

import kotlin.time.Duration

/**
 * The configuration of a client: its accounts by the names that messages call them, and what holds for all.
 *
 * What is null is as the library has it by default. `${env:NAME}` and `${file:PATH}` stand for credentials that are
 * kept elsewhere.
 *
 * @param timeout of one attempt
 * @param maxInFlight how many messages may be under way at once
 * @param proxy `http://…`, `socks5://…` or `env`
 * @param caFile authorities to trust besides those of the system
 * @param trace each result tells its attempts
 */
public class Config(
    accounts: Map<String, Account>,
    timeout: Duration? = null,
    maxInFlight: Int? = null,
    retry: Retry? = null,
    idle: Duration? = null,
    maxConnectionsPerHost: Int? = null,
    proxy: String? = null,
    caFile: String? = null,
    userAgent: String? = null,
    trace: Boolean? = null,
    outbox: Outbox? = null,
) :
    JsonObject(
        linkedMapOf(
            "v" to 1,
            "accounts" to accounts.toMap(),
            "timeout_ms" to timeout?.inWholeMilliseconds,
            "max_in_flight" to maxInFlight,
            "retry" to retry,
            "idle_ms" to idle?.inWholeMilliseconds,
            "max_connections_per_host" to maxConnectionsPerHost,
            "proxy" to proxy,
            "ca_file" to caFile,
            "user_agent" to userAgent,
            "trace" to trace,
            "outbox" to outbox,
        )
    )

/** When and how often an attempt is repeated. */
public class Retry(
    maxAttempts: Int? = null,
    initial: Duration? = null,
    max: Duration? = null,
    onMaybeSent: OnMaybeSent? = null,
) :
    JsonObject(
        mapOf(
            "max_attempts" to maxAttempts,
            "initial_ms" to initial?.inWholeMilliseconds,
            "max_ms" to max?.inWholeMilliseconds,
            "on_maybe_sent" to onMaybeSent?.name?.lowercase(),
        )
    )

/** What becomes of a message that nobody can know of. */
public enum class OnMaybeSent {
    /** It ends so. */
    STOP,

    /** It is sent again, so that it may arrive twice. */
    RESEND,
}

/**
 * Keeps submitted messages until their results are acknowledged: in a file that any number of processes may have open
 * ([path]), or in a PostgreSQL database ([postgres], a URL, and its [schema]).
 *
 * Results come out of clients of the same [owner]. Where [sends] is false, others send what this client submits.
 */
public class Outbox(
    path: String? = null,
    maxMessages: Long? = null,
    maxBytes: Long? = null,
    keyDays: Int? = null,
    postgres: String? = null,
    schema: String? = null,
    owner: String? = null,
    sends: Boolean? = null,
    lease: Duration? = null,
) :
    JsonObject(
        mapOf(
            "path" to path,
            "postgres" to postgres,
            "schema" to schema,
            "owner" to owner,
            "sends" to sends,
            "lease_ms" to lease?.inWholeMilliseconds,
            "max_messages" to maxMessages,
            "max_bytes" to maxBytes,
            "key_days" to keyDays,
        )
    )

/** At most [count] requests in any stretch of [per], in place of what the service documents; see [unlimited]. */
public class Rate private constructor(internal val value: Any) {
    public constructor(
        count: Long,
        per: Duration,
    ) : this(mapOf("count" to count, "per_ms" to per.inWholeMilliseconds))

    public companion object {
        /** The documented limits do not hold. */
        @JvmField public val unlimited: Rate = Rate(JsonWriter.Null)
    }
}
