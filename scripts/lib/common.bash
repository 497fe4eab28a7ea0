# What the scripts share: messages, and long steps that show they are alive. To be sourced.
# shellcheck shell=bash

# The checkout's folder; every script works from there, wherever it was called.
project=$(realpath "$(dirname "${BASH_SOURCE[0]}")/../..")
cd "$project" || exit

say() {
    printf '%s: %s\n' "$(basename "$0")" "$*" >&2
}

die() {
    say "$*"
    exit 1
}

# Prints the comment at the head of the calling script, which is its help.
print_help() {
    sed -n '2,/^[^#]/ { s/^# \{0,1\}//p }' "$project/scripts/$(basename "$0")"
}

# quietly LABEL LOG COMMAND…: output goes to LOG, a sign of life every ten seconds; on failure the end of LOG is shown.
quietly() {
    local label=$1 log=$2 started=$SECONDS status=0 heart
    shift 2
    mkdir -p "$(dirname "$log")"
    say "$label …"
    : >"$log"
    while sleep 10; do
        say "$label … $((SECONDS - started)) s  $(tail -n 1 "$log" | tr -d '\r' | cut -c 1-90)"
    done &
    heart=$!
    # The command runs in the foreground, so that Ctrl-C reaches it.
    "$@" >"$log" 2>&1 || status=$?
    kill "$heart" 2>/dev/null || true
    wait "$heart" 2>/dev/null || true
    if ((status != 0)); then
        tail -n 60 "$log" >&2
        say "$label failed after $((SECONDS - started)) s (all of its output: $log)"
        return "$status"
    fi
    say "$label: done, $((SECONDS - started)) s"
}

# build_preset PRESET [CMAKE-ARGUMENT…]: configures and builds a preset in build/PRESET.
build_preset() {
    local preset=$1
    shift
    quietly "configuring ($preset)" "build/logs/$preset-configure.log" cmake --preset "$preset" "$@" || return
    quietly "building ($preset)" "build/logs/$preset-build.log" cmake --build --preset "$preset"
}
