#!/bin/sh
# A CI job that rotates one key and hands the new secret to the CI's own store, from which later jobs get it, masked.
#
#   KEY=planner STORE_COMMAND='gh secret set SPECTRON_API_KEY' ci-rotation.sh
#
# The secret is on stdin of what handles it, and nowhere else: never in an argument, a variable of the environment, a
# file, or the log. STORE_COMMAND is a line of shell that reads it there (GitLab: 'glab variable set SPECTRON_API_KEY').
#
# The journal of a rotation is on the runner, and goes with it. A cache could carry it to the next job, but a cache is
# not saved when a job is cancelled, which is just when it is wanted. So this job begins and ends the rotation itself:
# `--wait`, with an overlap that is short, though longer than any job that began with the old secret. Should the runner
# die on the way, no secret that is in use is lost: the old key works on. The next run goes on from the newest
# generation, and names what the dead one left.
#
# stdout: one JSON object, {"new", "old", "step"}. Exit code: 0 rotated, and the old key is gone; anything else is
# spectronctl's own: 1 STORE_COMMAND failed, 3 not signed in, 5 no such key, 6 another process rotates it, 9 no server.
#
# Which server, and with which key: SPECTRON_URL, SPECTRON_CONTEXT_ID, and SPECTRONCTL_API_KEY_FILE or
# SPECTRON_MANAGEMENT_API_KEY.
set -eu

# In the job, spectronctl starts this very script once more, as the reader of the secret.
if [ "${1:-}" = deliver ]; then
    # What signs this job is none of the store's business.
    unset SPECTRON_MANAGEMENT_API_KEY SPECTRON_MGMT_KEY SPECTRON_API_KEY SPECTRONCTL_API_KEY
    IFS= read -r secret
    if [ "${GITHUB_ACTIONS:-}" = true ]; then
        printf '::add-mask::%s\n' "$secret" # the runner keeps this line to itself; elsewhere it would be a leak
    fi
    printf '%s' "$secret" | sh -c "$STORE_COMMAND"
    exit
fi

key=${KEY:?the name of the key}
context=${SPECTRON_CONTEXT_ID:?the context of the key}
: "${STORE_COMMAND:?a command that stores the secret that it reads on stdin}"
overlap=${OVERLAP:-15m}
drain=${DRAIN:-5m}
tries=${TRIES:-3}
pause=${PAUSE:-30} # seconds
me=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)/$(basename -- "$0")

mine="context == '$context' && name == '$key'"

list_open() {
    spectronctl keys rotations list -o json --query "join(' ', [?$mine].id)" | tr -d '"'
}

finish() {
    for id in $(list_open); do
        spectronctl keys rotations resume "$id" --wait --quiet >&2 || return
    done
}

# A runner that lives on may hold an earlier job's journal; on a new one there is nothing to do.
finish || true

code=0
rotated=$(
    spectronctl keys rotate "$key" --overlap "$overlap" --drain "$drain" --wait \
        --secret-command "'$me' deliver" --confirm "$context" --quiet -o json \
        --query '{new: name, old: rotation.replaces.name, step: rotation.step}'
) || code=$?

# The journal is here and only now, so what can still be finished is.
while [ "$code" -ne 0 ] && [ "$tries" -gt 0 ] && [ -n "$(list_open)" ]; do
    tries=$((tries - 1))
    sleep "$pause"
    code=0
    finish || code=$?
    rotated=$(
        spectronctl keys rotations list --all -o json \
            --query "[?$mine] | [-1].{new: successor.name, old: key.name, step: step}"
    )
done

case $code in
    0) printf '%s\n' "$rotated" ;;
    1) echo "ci-rotation: $key is not delivered, or not finished; its old secret works. Run this job again." >&2 ;;
    6) echo "ci-rotation: $key is being rotated by another process; look at: spectronctl keys rotations list" >&2 ;;
    9) echo "ci-rotation: no server; nothing is lost, run this job again" >&2 ;;
esac

leftovers=$(spectronctl keys orphans --grace 0s -o json --query "join(' ', [?reason == 'superseded'].id)" | tr -d '"')
if [ -n "$leftovers" ]; then
    echo "ci-rotation: superseded keys are left; once they are no longer used: spectronctl keys delete $leftovers" >&2
fi
exit "$code"
