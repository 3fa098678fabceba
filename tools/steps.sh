# Read by scripts that try several things one after the other, whatever becomes of the ones before.

summary='' failed=0

# step NAME COMMAND...: one thing that has to be so. A command that a tool is missing for (77) is told of apart.
step() {
    local name=$1 result=ok status=0 began=$SECONDS
    shift
    printf '\n=== %s\n' "$name"
    "$@" || status=$?
    if [ "$status" = 77 ] && [ -z "${CI:-}" ]; then
        result="not run: its tools are missing"
    elif [ "$status" != 0 ]; then
        result="FAILED, exit code $status" failed=$((failed + 1))
    fi
    summary+=$(printf '  %-22s %5d s  %s' "$name" $((SECONDS - began)) "$result")$'\n'
}

# told WHAT: ends the script, with what ran and what became of it.
told() {
    printf '\n=== what %s ran\n%s' "$1" "$summary"
    [ "$failed" = 0 ] || { echo "$failed of the steps failed"; exit 1; }
    echo "all steps that ran passed"
}
