#!/bin/sh
# Delivers a key into a Kubernetes secret (of the key's name, in the field `token`), and restarts those who read it
# while the old key still works.
#
#   KEY=planner WORKLOAD=deployment/planner NAMESPACE=agents kubernetes-secret.sh
#   */15 * * * *  spectronctl keys rotations resume --quiet >/dev/null
#
# Run it as often as you like: only a key older than 30 days is rotated. As long as an old key waits for its end, the
# workload is restarted again, since it is unknown whether the previous run came that far. When kubectl fails, the old key
# and the old Kubernetes secret stay, and the next run, or the crontab line, delivers.
#
# Exit code: 0 all is well; 1 not delivered, or not restarted: run it again within the overlap; any other is that of the
# spectronctl which could not begin.
#
# Which server, and with which key: SPECTRONCTL_PROFILE, or SPECTRON_URL and SPECTRONCTL_API_KEY_FILE.
set -eu

# spectronctl starts this very script once more, as the reader of the secret. What that needs to know is in its words,
# for a `resume` from cron has another environment.
if [ "${1:-}" = deliver ]; then
    namespace=$2
    IFS= read -r secret # without its newline, which would be part of the token
    manifest=$(
        printf '%s' "$secret" |
            kubectl --namespace "$namespace" create secret generic "$SPECTRONCTL_KEY_NAME" \
                --from-file=token=/dev/stdin --dry-run=client -o yaml
    )
    # On the server's side, or else a second copy of the secret is kept in an annotation.
    printf '%s\n' "$manifest" |
        kubectl --namespace "$namespace" apply --server-side --force-conflicts -f -
    exit
fi

key=${KEY:?the name of the key, and of the Kubernetes secret}
context=${SPECTRON_CONTEXT_ID:?the context of the key}
workload=${WORKLOAD:?what reads the secret, such as deployment/planner}
namespace=${NAMESPACE:-default}
older_than=${OLDER_THAN:-30d}
overlap=${OVERLAP:-24h} # longer than a restart takes
drain=${DRAIN:-5m}
restart_within=${RESTART_WITHIN:-10m}
me=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)/$(basename -- "$0")

resumed=0
spectronctl keys rotations resume --quiet >&2 || resumed=$?
spectronctl keys rotate --match "$key" --older-than "$older_than" --overlap "$overlap" --drain "$drain" \
    --secret-command "'$me' deliver '$namespace'" --confirm "$context" --quiet -o jsonl

waiting=$(
    spectronctl keys rotations list -o json \
        --query "length([?context == '$context' && name == '$key' && step == 'waiting'])"
)
if [ "$waiting" -gt 0 ]; then
    kubectl --namespace "$namespace" rollout restart "$workload" >&2
    kubectl --namespace "$namespace" rollout status "$workload" --timeout "$restart_within" >&2
fi
exit "$resumed"
