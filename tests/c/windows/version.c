/* The library has a version that Windows shows, and it is the one that hy_version tells. */
#include "../peer.h"

#include <winver.h>

static const char *told(const void *block, const char *name)
{
    char path[128];
    void *text = NULL;
    UINT len = 0;
    snprintf(path, sizeof path, "\\StringFileInfo\\040904B0\\%s", name);
    CHECK(VerQueryValueA(block, path, &text, &len) && len > 1);
    return text;
}

int main(void)
{
    char path[MAX_PATH];
    HMODULE library = GetModuleHandleA("hongyan.dll");
    CHECK(library != NULL);
    DWORD n = GetModuleFileNameA(library, path, sizeof path);
    CHECK(n > 0 && n < sizeof path);

    DWORD size = GetFileVersionInfoSizeA(path, NULL);
    CHECK(size > 0);
    void *block = malloc(size);
    CHECK(block != NULL);
    CHECK(GetFileVersionInfoA(path, 0, size, block));
    CHECK_TEXT(told(block, "ProductVersion"), hy_version());
    CHECK_TEXT(told(block, "FileVersion"), hy_version());
    CHECK_TEXT(told(block, "OriginalFilename"), "hongyan.dll");

    /* In numbers, too. */
    void *fixed = NULL;
    UINT len = 0;
    CHECK(VerQueryValueA(block, "\\", &fixed, &len) && len == sizeof(VS_FIXEDFILEINFO));
    const VS_FIXEDFILEINFO *info = fixed;
    char version[32];
    snprintf(version, sizeof version, "%u.%u.%u", (unsigned)HIWORD(info->dwFileVersionMS),
             (unsigned)LOWORD(info->dwFileVersionMS), (unsigned)HIWORD(info->dwFileVersionLS));
    CHECK(strncmp(hy_version(), version, strlen(version)) == 0);
    CHECK_INT(info->dwFileType, VFT_DLL);
    free(block);
    return 0;
}
