#!/bin/sh
# Builds the C library for release and installs it under $DESTDIR$PREFIX: shared and static library,
# headers for C and C++, what pkg-config and CMake look for, and manual pages. `make install` runs it.
#
#   tools/install.sh             installs; BUILT names a folder of libraries that are built already
#   tools/install.sh uninstall   takes away what it installs, and nothing else
set -eu
cd "$(dirname "$0")/.."

cargo=${CARGO:-cargo}
prefix=${PREFIX:-/usr/local}
libdir=${LIBDIR:-$prefix/lib}
mandir=$prefix/share/man/man3
root=${DESTDIR:-}
for folder in "$prefix" "$libdir"; do
    case $folder in
    /*) ;;
    *) echo "install: $folder is not an absolute path" >&2 && exit 2 ;;
    esac
done
if [ "$(uname -s)" = Darwin ]; then
    echo "install: only ELF systems are known; on macOS copy the .dylib and the headers" >&2
    exit 2
fi

pages=$(mktemp -d "${TMPDIR:-/tmp}/hongyan-pages.XXXXXX")
trap 'rm -rf "$pages"' EXIT
tools/man-pages include/hongyan.h "$pages"

if [ "${1:-}" = uninstall ]; then
    for page in "$pages"/*.3; do
        rm -f "$root$mandir/${page##*/}"
    done
    rm -f "$root$libdir/libhongyan.so.1" "$root$libdir/libhongyan.so" "$root$libdir/libhongyan.a" \
        "$root$prefix/include/hongyan.h" "$root$prefix/include/hongyan.hpp" \
        "$root$libdir/pkgconfig/hongyan.pc" "$root$libdir/pkgconfig/hongyan-static.pc" \
        "$root$libdir/cmake/hongyan/hongyan-config.cmake" \
        "$root$libdir/cmake/hongyan/hongyan-config-version.cmake"
    # What is empty then goes too: others may have put something there.
    for folder in "$libdir/cmake/hongyan" "$libdir/cmake" "$libdir/pkgconfig" "$mandir" \
        "$prefix/share/man" "$prefix/share" "$prefix/include" "$libdir"; do
        rmdir "$root$folder" 2>/dev/null || true
    done
    exit
fi
[ $# = 0 ] || { echo "usage: install.sh [uninstall]" >&2 && exit 2; }

built=${BUILT:-${CARGO_TARGET_DIR:-target}/release}
[ -n "${BUILT:-}" ] || "$cargo" build --locked -p libhongyan --features postgres --release

version=$(sed -n 's/^#define HY_VERSION "\(.*\)"$/\1/p' include/hongyan.h)
# The compiler adds its own libgcc, whether the program is static or not.
private='-lpthread -ldl -lm'
# How the headers are found from libdir/cmake/hongyan: the whole may be moved where that is below prefix.
case $libdir in
"$prefix"/*)
    below=${libdir#"$prefix"/}
    includedir=../..$(printf '%s' "$below" | sed -e 's|[^/]\{1,\}|/..|g' -e 's|//|/|g')/include
    ;;
*) includedir=$prefix/include ;;
esac
# The word size stands in the fifth byte of an ELF file.
case $(od -An -tu1 -j4 -N1 "$built/libhongyan.so" | tr -d ' ') in
1) pointer=4 ;;
*) pointer=8 ;;
esac

# fill FROM TO: a file with the names in it replaced.
fill() {
    sed -e "s|@PREFIX@|$prefix|" -e "s|@LIBDIR@|$libdir|" -e "s|@VERSION@|$version|" \
        -e "s|@PRIVATE@|$private|" -e "s|@INCLUDEDIR@|$includedir|" -e "s|@POINTER@|$pointer|" \
        "tools/$1" >"$pages/filled"
    install -m 644 "$pages/filled" "$2"
}

install -d "$root$libdir/pkgconfig" "$root$libdir/cmake/hongyan" "$root$prefix/include" "$root$mandir"
install -m 755 "$built/libhongyan.so" "$root$libdir/libhongyan.so.1"
ln -sf libhongyan.so.1 "$root$libdir/libhongyan.so"
install -m 644 "$built/libhongyan.a" "$root$libdir/libhongyan.a"
install -m 644 include/hongyan.h include/hongyan.hpp "$root$prefix/include"
install -m 644 "$pages"/*.3 "$root$mandir"
fill hongyan.pc.in "$root$libdir/pkgconfig/hongyan.pc"
fill hongyan-static.pc.in "$root$libdir/pkgconfig/hongyan-static.pc"
fill hongyan-config.cmake.in "$root$libdir/cmake/hongyan/hongyan-config.cmake"
fill hongyan-config-version.cmake.in "$root$libdir/cmake/hongyan/hongyan-config-version.cmake"
