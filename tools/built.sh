# shellcheck shell=sh
# For scripts in tools/ that test a language over the C library. Sets
#   target     the target folder
#   libraries  a folder with the library under the names that linkers and loaders look for
#   HONGYAN    the command, exported: it plays the services
# LIBRARY and HONGYAN name what is built already; where one lacks, both are built.

target=$(realpath -m "${CARGO_TARGET_DIR:-target}")
if [ -z "${LIBRARY:-}" ] || [ -z "${HONGYAN:-}" ]; then
    "${CARGO:-cargo}" build --locked -p libhongyan -p hongyan-cli --features libhongyan/outbox >&2
    LIBRARY=$target/debug/libhongyan.so HONGYAN=$target/debug/hongyan
fi
HONGYAN=$(realpath "$HONGYAN")
export HONGYAN
libraries=$target/libraries
mkdir -p "$libraries"
ln -sfn "$(realpath "$LIBRARY")" "$libraries/libhongyan.so.1"
ln -sfn libhongyan.so.1 "$libraries/libhongyan.so"
# A proxy of the tester's is none of the tests'.
unset http_proxy https_proxy all_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY
