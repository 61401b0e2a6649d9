#!/bin/sh
# The operator's main job, twice: on the embedded server in the command's own process, then through `spectronctl serve`;
# there an ontology set, memories kept, decayed and reindexed, a key lent to a program, a context cloned, and a principal
# granted a scope that is revoked again, too. Then a program run against a throw-away server, a conversation imported and read, and last a key rotated while its old secret
# goes on working for a while.
# Everything happens in a temporary home, which is removed at the end.
set -eu
examples=$(cd "$(dirname "$0")" && pwd)
conversation=$examples/conversation.jsonl

HOME=$(mktemp -d)
export HOME
unset XDG_CONFIG_HOME XDG_DATA_HOME XDG_STATE_HOME XDG_CACHE_HOME SPECTRON_URL SPECTRON_CONTEXT_ID 2>/dev/null || true
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null || true; rm -rf "$HOME"' EXIT

run() {
    printf '\n$ %s\n' "$*"
    "$@"
}

manage() {
    run spectronctl contexts create acme-prod \
        --namespace acme \
        --database prod \
        --model-extraction openai/gpt-4o-mini \
        --token-limit 1000000
    run spectronctl contexts list
    run spectronctl keys create app-agent -c acme-prod --scope-floor org=acme --secret-file "$HOME/app.key"
    run ls -l "$HOME/app.key"
    run spectronctl whoami -c acme-prod --api-key-file "$HOME/app.key"
    run spectronctl contexts update acme-prod --token-limit 2000000
    run spectronctl contexts delete acme-prod --yes
    rm "$HOME/app.key"
}

echo "== On the embedded server, with no daemon (SPECTRONCTL_PROFILE=local)"
export SPECTRONCTL_PROFILE=local
manage
unset SPECTRONCTL_PROFILE

printf '\n== Through spectronctl serve\n'
printf '\n$ spectronctl serve --port 0 --bootstrap --secret-file management.key --ready-file ready.json &\n'
spectronctl serve --port 0 --bootstrap --secret-file "$HOME/management.key" --ready-file "$HOME/ready.json" 2>"$HOME/log" &
server=$!
tries=0
while [ ! -s "$HOME/ready.json" ]; do
    tries=$((tries + 1))
    if [ "$tries" -gt 300 ] || ! kill -0 "$server" 2>/dev/null; then
        cat "$HOME/log" >&2
        exit 1
    fi
    sleep 0.1
done
url=$(sed 's/.*"url": "\([^"]*\)".*/\1/' "$HOME/ready.json")
run spectronctl profiles add demo --url "$url" --api-key-file "$HOME/management.key" --use
manage
run spectronctl version --check-server
run spectronctl doctor --columns check,status

printf '\n== An ontology, and memories in order\n'
export SPECTRON_URL="$url" SPECTRON_CONTEXT_ID=acme-prod
run spectronctl contexts create acme-prod --namespace acme --database prod --quiet -o name
run spectronctl ontology set "$examples/ontology.yaml"
run spectronctl ontology get
run python3 "$examples/remember.py" "$HOME/management.key" --category knowledge <"$examples/memories.txt"
printf 'The printer is out of paper.\n' |
    run python3 "$examples/remember.py" "$HOME/management.key" --category context --observed-at 2026-01-15T10:00:00Z
run spectronctl lifecycle decay --yes
run spectronctl lifecycle reindex
run spectronctl lifecycle jobs list

printf '\n== A key lent to a program, a context cloned, a request of our own\n'
run spectronctl keys create app-agent --scope-floor org=acme --secret-file "$HOME/app.key" --quiet
run spectronctl exec --key app-agent -- spectronctl whoami --query kind
run spectronctl contexts clone acme-prod acme-copy --namespace acme --database copy --secret-file "$HOME/copy-{name}.key"
run spectronctl api GET /contexts --paginate --query '[].id'
run spectronctl contexts delete acme-copy --yes

printf '\n== A principal that gains a scope, and loses it\n'
run spectronctl principals create support --grant 'memory:read=org/acme/*' --quiet -o name
support=$(spectronctl principals get support -o name)
run spectronctl keys create support --principal-id "$support" --secret-file "$HOME/support.key" --quiet
run spectronctl principals grant support 'memory:write=org/acme/support/*' --quiet --query grants
run spectronctl keys verify "file:$HOME/support.key" --query effective_grants
run spectronctl principals revoke support 'memory:write=org/acme/support/*' --yes --quiet --query grants
run spectronctl principals whocan memory:write org/acme/support
run spectronctl audit list --management --limit 2 --columns action,name,outcome
run spectronctl contexts delete acme-prod --yes
rm "$HOME/app.key" "$HOME/support.key"
unset SPECTRON_URL SPECTRON_CONTEXT_ID
kill "$server"
wait "$server"
server=

printf '\n== A program against a throw-away server\n'
run spectronctl serve exec --seed "$examples/seed.yaml" -- spectronctl sessions list --columns turns,scopes

printf '\n== A conversation imported and read, on the embedded server\n'
export SPECTRONCTL_PROFILE=local SPECTRON_CONTEXT_ID=acme-prod
run spectronctl contexts create acme-prod --namespace acme --database prod --quiet -o name
run spectronctl sessions import "$conversation"
session=$(spectronctl sessions list -o name)
run spectronctl sessions transcript "$session"
run spectronctl sessions transcript "$session" --output-file "$HOME/transcript.html"
run spectronctl sessions context "$session" 'When do we go live?'

printf '\n== A key rotated with an overlap, on the embedded server\n'
run spectronctl keys create app-agent --scope-floor org=acme --secret-file "$HOME/app.key" --quiet
run spectronctl keys rotate app-agent --overlap 3s --drain 0s --secret-file "$HOME/app.key" --yes
run spectronctl keys list
run sleep 3
run spectronctl keys rotations resume
run spectronctl keys list
run spectronctl keys verify "file:$HOME/app.key"

printf '\nThe demo has run: two servers, contexts created, used and deleted,\nan ontology set, memories decayed and reindexed, a key lent, a context cloned,\na scope granted to a principal and revoked, a program run against a throw-away server, a conversation imported and read,\na key rotated without a gap.\n'
