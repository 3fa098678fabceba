#!/bin/sh
# Builds the C library for release and installs it: shared and static library, header, pkg-config
# file, under $DESTDIR$PREFIX. Run it by `make install`.
set -eu
cd "$(dirname "$0")/.."

cargo=${CARGO:-cargo}
prefix=${PREFIX:-/usr/local}
libdir=${LIBDIR:-$prefix/lib}
root=${DESTDIR:-}
built=${CARGO_TARGET_DIR:-target}/release
for folder in "$prefix" "$libdir"; do
    case $folder in
    /*) ;;
    *) echo "install: $folder is not an absolute path" >&2 && exit 2 ;;
    esac
done
if [ "$(uname -s)" = Darwin ]; then
    echo "install: only ELF systems are known; on macOS copy the .dylib and the header" >&2
    exit 2
fi

"$cargo" build --locked -p libhongyan --features outbox --release

version=$(sed -n 's/^#define HY_VERSION "\(.*\)"$/\1/p' include/hongyan.h)
install -d "$root$libdir/pkgconfig" "$root$prefix/include"
install -m 755 "$built/libhongyan.so" "$root$libdir/libhongyan.so.1"
ln -sf libhongyan.so.1 "$root$libdir/libhongyan.so"
install -m 644 "$built/libhongyan.a" "$root$libdir/libhongyan.a"
install -m 644 include/hongyan.h "$root$prefix/include/hongyan.h"
sed -e "s|@PREFIX@|$prefix|" -e "s|@LIBDIR@|$libdir|" -e "s|@VERSION@|$version|" \
    -e "s|@PRIVATE@|-lpthread -ldl -lm -lgcc_s|" tools/hongyan.pc.in \
    >"$root$libdir/pkgconfig/hongyan.pc"
chmod 644 "$root$libdir/pkgconfig/hongyan.pc"
