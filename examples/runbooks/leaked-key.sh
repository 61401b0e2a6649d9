#!/bin/sh
# A secret has leaked: end its key now, give its holders a new one, and look at what may have been done with it.
#
#   KEY=key_… SECRET_FILE=planner.key leaked-key.sh
#
# KEY is the id of the key, not its name: once it is rotated the name means the successor, and a second run would end
# that one. By its id a second run is harmless; it finishes what the first did not.
#
# stdout: the key as it was, with its last use (which goes with the key, so save this for the report), whom the new
# secret is, keys that are left over, in use or not, and the last use of every key. Exit code: 0 the key is gone and the
# new secret works; 2 KEY is no id; anything else is spectronctl's own, and the script is to be run again until it is 0.
#
# Which server, and with which key: SPECTRONCTL_PROFILE, or SPECTRON_URL and SPECTRONCTL_API_KEY_FILE.
set -eu
umask 077

key=${KEY:?the id of the key that leaked}
context=${SPECTRON_CONTEXT_ID:?the context of the key}
secret_file=${SECRET_FILE:?the file that the holders of the key read}

rotate() {
    spectronctl keys rotate "$key" --leaked --secret-file "$secret_file" --confirm "$context" --quiet -o name
}

# The key may be in the middle of another rotation, as the old key or the new: that one would keep it alive.
stop_rotations() {
    ids=$(
        spectronctl keys rotations list -o json \
            --query "join(' ', [?method != 'leaked' && (key.id == '$key' || successor.id == '$key')].id)"
    )
    for id in $(printf '%s' "$ids" | tr -d '"'); do
        spectronctl keys rotations abort "$id" --quiet -o json >&2
    done
}

found=0
id=$(spectronctl keys get "$key" -o json --query id --quiet) || found=$?
case $found in
    0)
        if [ "$id" != "\"$key\"" ]; then
            echo "leaked-key: KEY must be the id of the key: $id, if it is the newest that leaked" >&2
            exit 2
        fi
        echo "== The key that leaked"
        spectronctl keys get "$key" -o yaml
        stop_rotations
        rotate
        ;;
    5) # Dead by an earlier run, which has left the rest in the journal; or a slip of the pen, and the key is alive.
        known=$(
            spectronctl keys rotations list --all -o json \
                --query "length([?method == 'leaked' && key.id == '$key'])"
        )
        if [ "$known" -eq 0 ]; then
            echo "leaked-key: no key $key in $context, and none that this journal knows: was it that id?" >&2
            exit 5
        fi
        spectronctl keys rotations resume --quiet >&2
        ;;
    *) exit "$found" ;;
esac

echo "== The new secret"
spectronctl keys verify "file:$secret_file"
echo "== Keys that are left over"
# Without a grace: a generation that the leak has superseded is shown although it was in use a moment ago.
spectronctl keys orphans --grace 0s
echo "== Last uses"
spectronctl keys list --columns name,id,principal,status,last_used_at,scope_floor
