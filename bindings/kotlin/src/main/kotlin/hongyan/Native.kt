package hongyan

import java.io.File

/**
 * The native methods, which `jni/src/exports.rs` has. Text crosses as UTF-8.
 *
 * The library is the file that the property `hongyan.library` names, else `libhongyan_jni` where the JVM looks
 * for libraries (an APK's own are there), else the one inside the jar.
 */
internal object Native {
    init {
        val named = System.getProperty("hongyan.library")
        if (named != null) {
            System.load(named)
        } else {
            try {
                System.loadLibrary("hongyan_jni")
            } catch (missing: UnsatisfiedLinkError) {
                loadFromJar(missing)
            }
        }
    }

    @JvmStatic external fun open(config: ByteArray): Long

    @JvmStatic
    external fun submit(
        host: Long,
        message: ByteArray,
        files: Array<ByteArray?>?,
        token: Long,
        timeoutMs: Long,
        awaited: Boolean,
    ): ByteArray?

    @JvmStatic external fun cancel(host: Long, token: Long)

    /** Null where nothing came, an empty array once there will be no more. */
    @JvmStatic external fun take(host: Long, awaited: Boolean, most: Int): ByteArray?

    @JvmStatic external fun ack(host: Long, id: ByteArray)

    @JvmStatic external fun preview(host: Long, message: ByteArray, files: Array<ByteArray?>?): ByteArray

    @JvmStatic external fun setAccount(host: Long, name: ByteArray, account: ByteArray)

    @JvmStatic external fun removeAccount(host: Long, name: ByteArray)

    @JvmStatic external fun checkAccount(host: Long, name: ByteArray, timeoutMs: Long)

    @JvmStatic external fun stats(host: Long): ByteArray

    @JvmStatic external fun services(): ByteArray

    @JvmStatic external fun flush(host: Long, timeoutMs: Long): Int

    @JvmStatic external fun close(host: Long, timeoutMs: Long): Int

    @JvmStatic external fun free(host: Long)

    @JvmStatic external fun logLevel(level: Int)

    /** Waits for lines. */
    @JvmStatic external fun takeLog(): ByteArray

    /** Called by the native methods for what goes wrong in them, to throw it. */
    @JvmStatic fun exception(json: ByteArray): Throwable = HongyanException.of(Json.objectOf(json), null)

    private fun loadFromJar(missing: UnsatisfiedLinkError) {
        val system = System.getProperty("os.name").lowercase().substringBefore(' ')
        val processor =
            when (val name = System.getProperty("os.arch")) {
                "amd64" -> "x86_64"
                "arm64" -> "aarch64"
                else -> name
            }
        val name = System.mapLibraryName("hongyan_jni")
        val inside = Native::class.java.getResourceAsStream("/hongyan/$system-$processor/$name") ?: throw missing
        val file = File.createTempFile("hongyan", name)
        try {
            inside.use { from -> file.outputStream().use(from::copyTo) }
            System.load(file.path)
        } finally {
            // Where what is loaded can be deleted, it need not wait for the end.
            if (!file.delete()) file.deleteOnExit()
        }
    }
}
