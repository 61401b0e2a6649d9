#!/bin/sh
# Once a month from cron: every key of a context that is older than 30 days gets a successor, whose secret replaces the
# old one in the key's own file. The old key goes on working for a day, so that a program that reads the file only now and then
# is never without a key that works.
#
#   SPECTRON_CONTEXT_ID=acme-prod
#   23 3 1 * *    monthly-rotation.sh
#   */15 * * * *  spectronctl keys rotations resume --quiet >/dev/null
#
# The second line deletes the old keys once their day is over, and goes on with whatever was interrupted. Both may run
# at any time, together, and again: a key that has just been rotated is not older than 30 days.
#
# stdout: one line of JSON for every key that failed, with the command that continues; nothing when all went well, so
# that cron sends a mail only then. Exit code: 0 all is well; 1 some keys failed, their old secrets work on; any other
# is that of the spectronctl which could not begin (9: the server is not there).
#
# Which server, and with which key: SPECTRONCTL_PROFILE, or SPECTRON_URL and SPECTRONCTL_API_KEY_FILE.
set -eu
umask 077

context=${SPECTRON_CONTEXT_ID:?the context whose keys are rotated}
keys_dir=${KEYS_DIR:-$HOME/keys} # NAME.key for every key
older_than=${OLDER_THAN:-30d}
overlap=${OVERLAP:-24h} # longer than any reader goes without reading the file again
drain=${DRAIN:-5m}
parallel=${PARALLEL:-4}

mkdir -p "$keys_dir"

# What an earlier run left goes first: a key whose rotation is under way is not rotated a second time.
resumed=0
spectronctl keys rotations resume --quiet -o jsonl \
    --query '[?error].{name: name, error: error, continue: join(`" "`, [`"spectronctl keys rotations resume"`, id])}' ||
    resumed=$?

rotated=0
spectronctl keys rotate --older-than "$older_than" --overlap "$overlap" --drain "$drain" \
    --secret-file "$keys_dir/{name}.key" --parallel "$parallel" --confirm "$context" --quiet -o jsonl \
    --query "[?rotation.error || rotation.step == 'planned'].{
        name: name, error: rotation.error, continue: rotation.command}" ||
    rotated=$?

[ "$rotated" -ne 0 ] || rotated=$resumed
exit "$rotated"
