/* ProcessPrng for a wine that has none, of the function that all Windows had before. Only tests have this. */
#include <windows.h>

/* RtlGenRandom. */
BOOLEAN NTAPI SystemFunction036(PVOID bytes, ULONG len);

__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE bytes, SIZE_T len)
{
    while (len > 0) {
        ULONG part = len < 1u << 20 ? (ULONG)len : 1u << 20;
        if (!SystemFunction036(bytes, part))
            return FALSE;
        bytes += part;
        len -= part;
    }
    return TRUE;
}
