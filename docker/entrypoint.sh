#!/bin/sh
# The image's entry point; runs outside a container too, wherever `reko` and `python` are on the path.
#   entrypoint.sh [serve]        the service
#   entrypoint.sh worker         relays, pulls and tends beside services on a PostgreSQL
#   entrypoint.sh ready [URL]    exit 0 if the service on this machine (or what answers at URL) is ready, else 1
#   entrypoint.sh COMMAND ...    any other `reko` command
set -eu
umask 077

say() {
    echo "entrypoint: $*" >&2
}

can_keep_data() {
    [ -n "${REKO_DATABASE:-}" ] && return
    home="${REKO_DATA:-.reko}"
    mkdir -p "$home" 2>/dev/null || true
    if [ ! -w "$home" ]; then
        say "$home cannot be written by user $(id -u): mount a volume that this user owns"
        exit 2
    fi
}

knows_callers() {
    if [ -z "${REKO_CLIENTS:-}" ]; then
        say "REKO_CLIENTS is not set: the service starts, and lets nobody in"
    elif [ ! -r "$REKO_CLIENTS" ]; then
        say "$REKO_CLIENTS (REKO_CLIENTS) cannot be read by user $(id -u)"
        exit 2
    fi
}

command="${1:-serve}"
[ "$#" -eq 0 ] || shift

case "$command" in
    ready)
        exec python -c '
import sys, urllib.request
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
try:
    opener.open(sys.argv[1], timeout=4).close()
except OSError as error:
    sys.exit(f"not ready: {error}")
' "${1:-http://127.0.0.1:${REKO_PORT:-8080}/health/ready}"
        ;;
    serve | worker)
        can_keep_data
        knows_callers
        ;;
esac
exec reko "$command" "$@"
