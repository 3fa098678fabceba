#!/bin/sh
# Builds the library and the command, starts the sandbox on a free port, and sends through every
# service from a C program that knows the header and the built library only. Then three workers send what comes by
# SQL, over one PostgreSQL.
#
# LIBRARY names another library than the one that is built here, shared or static, COMMAND another command; CC
# is a compiler with its arguments, RUN what runs the program where this system does not. Exit status: that of
# the program, which is 0 if all went as it should.
set -eu
cd "$(dirname "$0")/.."

cargo=${CARGO:-cargo}
built=${CARGO_TARGET_DIR:-target}/debug
case $built in
/*) ;;
*) built=$PWD/$built ;;
esac

if [ -z "${LIBRARY:-}" ]; then
    "$cargo" build --locked -p libhongyan -p hongyan-cli
elif [ -z "${COMMAND:-}" ]; then
    "$cargo" build --locked -p hongyan-cli
fi

work=$(mktemp -d "${TMPDIR:-/tmp}/hongyan-demo.XXXXXX")
sandbox=
clean_up() {
    if [ -n "$sandbox" ]; then
        kill "$sandbox" 2>/dev/null || :
        wait "$sandbox" 2>/dev/null || :
    fi
    rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# The names that a linker and a loader look for.
case ${LIBRARY:-} in
*.a) ln -s "$LIBRARY" "$work/libhongyan.a" ;;
*)
    ln -s "${LIBRARY:-$built/libhongyan.so}" "$work/libhongyan.so.1"
    ln -s libhongyan.so.1 "$work/libhongyan.so"
    ;;
esac

# shellcheck disable=SC2086 # a compiler and its arguments
${CC:-cc} -std=c99 -Wall -Iinclude examples/c/all_services.c \
    -L"$work" -lhongyan -o "$work/all_services"

# Reading the pipe waits for the sandbox's first line, or for its end.
mkfifo "$work/says"
"${COMMAND:-$built/hongyan}" --json sandbox --port 0 >"$work/says" &
sandbox=$!
exec 3<"$work/says"
line=
read -r line <&3 || :
url=$(printf '%s\n' "$line" | sed -n 's/.*"url":"\([^"]*\)".*/\1/p')
if [ -z "$url" ]; then
    echo "demo: the sandbox did not start" >&2
    exit 1
fi

echo
echo "the sandbox is at $url"
echo
# shellcheck disable=SC2086 # a program and its arguments
LD_LIBRARY_PATH="$work${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}" ${RUN:-} "$work/all_services" "$url"

# A command that is given is another system's.
if [ -z "${COMMAND:-}" ]; then
    tools/fleet-demo "$url" "$built/hongyan"
fi
