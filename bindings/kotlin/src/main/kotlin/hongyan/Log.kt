package hongyan

import java.nio.ByteBuffer

/** How much a line of the library's log matters; a level includes those before it. */
public enum class LogLevel {
    /** Something is broken. */
    ERROR,

    /** Something went wrong and was dealt with. */
    WARN,

    /** The life of a client, and every retry. */
    INFO,

    /** Every send. */
    DEBUG,

    /** Everything. */
    TRACE,
}

/** Takes a line of the log. */
public fun interface LogFunction {
    /** [target] is for instance `hongyan::retry`; [text] has no secret and no message. */
    public fun line(level: LogLevel, target: String, text: String)
}

/** The log of the process; no thread of the library runs Kotlin, so one of its own takes the lines. */
internal object Log {
    private val LEVELS = LogLevel.entries.toTypedArray()
    private var most = 0
    private var function: LogFunction? = null
    private var isRunning = false

    @Synchronized
    fun set(level: LogLevel?, function: LogFunction?) {
        most = if (level == null) 0 else level.ordinal + 1
        this.function = function
        Native.logLevel(most)
        if (isRunning || function == null) return
        Thread(::run, "hongyan-log").apply { isDaemon = true }.start()
        isRunning = true
    }

    private fun run() {
        while (true) {
            val lines = ByteBuffer.wrap(Native.takeLog())
            while (lines.hasRemaining()) {
                val level = lines.get().toInt()
                val (target, text) = lines.getInt() to lines.getInt()
                line(level, lines.text(target), lines.text(text))
            }
        }
    }

    private fun ByteBuffer.text(length: Int) = String(ByteArray(length).also { get(it) }, Charsets.UTF_8)

    /** Whoever sets another function waits for the one that runs. */
    @Synchronized
    private fun line(level: Int, target: String, text: String) {
        // Taken before the level was changed.
        if (level > most) return
        try {
            function?.line(LEVELS[level - 1], target, text)
        } catch (thrown: Throwable) {
            Thread.currentThread().run { uncaughtExceptionHandler.uncaughtException(this, thrown) }
        }
    }
}
