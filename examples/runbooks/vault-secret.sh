#!/bin/sh
# Delivers keys into HashiCorp Vault: one path for each, with the secret in the field `value`.
#
#   KEYS='planner-*' VAULT_ADDR=… VAULT_TOKEN=… vault-secret.sh
#   */15 * * * *  spectronctl keys rotations resume --quiet >/dev/null
#
# A client of Vault, directly or through its agent, takes up the new secret when it next reads it: the overlap must
# be longer than that takes. Run it as often as you like: only keys older than 30 days are rotated. When vault fails, the
# old key and the old version in Vault stay, and the next run, or the crontab line, delivers; that too needs VAULT_ADDR
# and a token.
#
# stdout: one line of JSON for every key that was rotated. Exit code: 0 all is well; 1 some were not delivered: run it
# again; any other is that of the spectronctl which could not begin.
#
# Which server, and with which key: SPECTRONCTL_PROFILE, or SPECTRON_URL and SPECTRONCTL_API_KEY_FILE.
set -eu

# spectronctl starts this very script once more, as the reader of the secret.
if [ "${1:-}" = deliver ]; then
    IFS= read -r secret # without its newline, which would be part of the value
    printf '%s' "$secret" | vault kv put -mount="$2" "$3" value=-
    exit
fi

context=${SPECTRON_CONTEXT_ID:?the context of the keys}
keys=${KEYS:-*}
older_than=${OLDER_THAN:-30d}
overlap=${OVERLAP:-24h}
drain=${DRAIN:-5m}
mount=${VAULT_MOUNT:-secret}
default_path='spectron/{context}/{name}'
path=${VAULT_PATH:-$default_path}
me=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)/$(basename -- "$0")

resumed=0
spectronctl keys rotations resume --quiet >&2 || resumed=$?
spectronctl keys rotate --match "$keys" --older-than "$older_than" --overlap "$overlap" --drain "$drain" \
    --secret-command "'$me' deliver '$mount' '$path'" --confirm "$context" --quiet -o jsonl
exit "$resumed"
