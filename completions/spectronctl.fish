# Completion of spectronctl for fish; generated from the command tree, do not edit.

function __spectronctl_step
    switch "$argv"
        case ' contexts' ' context'; printf '%s\n' 'contexts'
        case ' keys' ' key'; printf '%s\n' 'keys'
        case ' ontology'; printf '%s\n' 'ontology'
        case ' sessions' ' session'; printf '%s\n' 'sessions'
        case ' lifecycle'; printf '%s\n' 'lifecycle'
        case ' exec'; printf '%s\n' 'exec'
        case ' migrations' ' migration'; printf '%s\n' 'migrations'
        case ' api'; printf '%s\n' 'api'
        case ' profiles' ' profile'; printf '%s\n' 'profiles'
        case ' serve'; printf '%s\n' 'serve'
        case ' completion'; printf '%s\n' 'completion'
        case ' options'; printf '%s\n' 'options'
        case ' version'; printf '%s\n' 'version'
        case ' whoami'; printf '%s\n' 'whoami'
        case ' doctor' ' status'; printf '%s\n' 'doctor'
        case 'contexts list' 'contexts ls'; printf '%s\n' 'contexts list'
        case 'contexts get' 'contexts show'; printf '%s\n' 'contexts get'
        case 'contexts create'; printf '%s\n' 'contexts create'
        case 'contexts update'; printf '%s\n' 'contexts update'
        case 'contexts delete' 'contexts rm'; printf '%s\n' 'contexts delete'
        case 'contexts clone'; printf '%s\n' 'contexts clone'
        case 'contexts wait'; printf '%s\n' 'contexts wait'
        case 'keys list' 'keys ls'; printf '%s\n' 'keys list'
        case 'keys get' 'keys show'; printf '%s\n' 'keys get'
        case 'keys create'; printf '%s\n' 'keys create'
        case 'keys rotate'; printf '%s\n' 'keys rotate'
        case 'keys rotations' 'keys rotation'; printf '%s\n' 'keys rotations'
        case 'keys delete' 'keys rm'; printf '%s\n' 'keys delete'
        case 'keys verify'; printf '%s\n' 'keys verify'
        case 'keys orphans'; printf '%s\n' 'keys orphans'
        case 'keys rotations list' 'keys rotations ls'; printf '%s\n' 'keys rotations list'
        case 'keys rotations get' 'keys rotations show'; printf '%s\n' 'keys rotations get'
        case 'keys rotations resume'; printf '%s\n' 'keys rotations resume'
        case 'keys rotations abort'; printf '%s\n' 'keys rotations abort'
        case 'ontology get' 'ontology show'; printf '%s\n' 'ontology get'
        case 'ontology set'; printf '%s\n' 'ontology set'
        case 'ontology edit'; printf '%s\n' 'ontology edit'
        case 'ontology diff'; printf '%s\n' 'ontology diff'
        case 'ontology delete'; printf '%s\n' 'ontology delete'
        case 'ontology validate'; printf '%s\n' 'ontology validate'
        case 'ontology add'; printf '%s\n' 'ontology add'
        case 'ontology remove' 'ontology rm'; printf '%s\n' 'ontology remove'
        case 'sessions list' 'sessions ls'; printf '%s\n' 'sessions list'
        case 'sessions get' 'sessions show'; printf '%s\n' 'sessions get'
        case 'sessions transcript'; printf '%s\n' 'sessions transcript'
        case 'sessions import'; printf '%s\n' 'sessions import'
        case 'sessions context'; printf '%s\n' 'sessions context'
        case 'sessions create'; printf '%s\n' 'sessions create'
        case 'sessions delete' 'sessions rm'; printf '%s\n' 'sessions delete'
        case 'lifecycle decay'; printf '%s\n' 'lifecycle decay'
        case 'lifecycle expire'; printf '%s\n' 'lifecycle expire'
        case 'lifecycle fsck'; printf '%s\n' 'lifecycle fsck'
        case 'lifecycle reindex'; printf '%s\n' 'lifecycle reindex'
        case 'lifecycle jobs' 'lifecycle job'; printf '%s\n' 'lifecycle jobs'
        case 'lifecycle jobs list' 'lifecycle jobs ls'; printf '%s\n' 'lifecycle jobs list'
        case 'lifecycle jobs get' 'lifecycle jobs show'; printf '%s\n' 'lifecycle jobs get'
        case 'lifecycle jobs watch'; printf '%s\n' 'lifecycle jobs watch'
        case 'lifecycle jobs cancel'; printf '%s\n' 'lifecycle jobs cancel'
        case 'migrations status'; printf '%s\n' 'migrations status'
        case 'profiles list' 'profiles ls'; printf '%s\n' 'profiles list'
        case 'profiles get'; printf '%s\n' 'profiles get'
        case 'profiles current'; printf '%s\n' 'profiles current'
        case 'profiles show'; printf '%s\n' 'profiles show'
        case 'profiles add'; printf '%s\n' 'profiles add'
        case 'profiles use'; printf '%s\n' 'profiles use'
        case 'profiles set'; printf '%s\n' 'profiles set'
        case 'profiles unset'; printf '%s\n' 'profiles unset'
        case 'profiles rename'; printf '%s\n' 'profiles rename'
        case 'profiles remove' 'profiles rm'; printf '%s\n' 'profiles remove'
        case 'profiles path'; printf '%s\n' 'profiles path'
        case 'serve worker'; printf '%s\n' 'serve worker'
        case 'serve keys' 'serve key'; printf '%s\n' 'serve keys'
        case 'serve exec'; printf '%s\n' 'serve exec'
        case 'serve keys list' 'serve keys ls'; printf '%s\n' 'serve keys list'
        case 'serve keys create'; printf '%s\n' 'serve keys create'
        case 'serve keys revoke' 'serve keys rm'; printf '%s\n' 'serve keys revoke'
    end
end

function __spectronctl_value
    switch "$argv"
        case 'contexts list --match' 'sessions transcript --grep'; printf '%s\n' '__spectronctl_free' 'PATTERN'
        case 'contexts list --label'; printf '%s\n' '__spectronctl_free' 'NAME[=VALUE]'
        case 'contexts create --namespace' 'contexts create --database' 'contexts create --confirm' 'contexts update --confirm' 'contexts delete --confirm' 'contexts clone --namespace' 'contexts clone --database' 'keys create --confirm' 'keys rotate --confirm' 'keys delete --confirm' 'ontology set --confirm' 'ontology edit --confirm' 'ontology delete --confirm' 'ontology add --entity-type' 'ontology remove --entity-type' 'ontology remove --confirm' 'sessions delete --confirm' 'lifecycle decay --confirm' 'lifecycle expire --confirm' 'lifecycle fsck --check' 'exec --key' 'api --confirm'; printf '%s\n' '__spectronctl_free' 'NAME'
        case 'contexts create --model-extraction' 'contexts create --model-response' 'contexts create --model-reflection' 'contexts create --model-reconciliation' 'contexts create --model-synthesis' 'contexts create --model-elaboration-consolidation' 'contexts create --model-embedding' 'contexts update --model-extraction' 'contexts update --model-response' 'contexts update --model-reflection' 'contexts update --model-reconciliation' 'contexts update --model-synthesis' 'contexts update --model-elaboration-consolidation' 'contexts update --model-embedding'; printf '%s\n' '__spectronctl_free' 'PROVIDER/MODEL'
        case 'contexts create --model' 'contexts update --model'; printf '%s\n' '__spectronctl_free' 'STAGE=PROVIDER/MODEL'
        case 'contexts create --provider' 'contexts update --provider' 'contexts clone --provider'; printf '%s\n' '__spectronctl_free' 'NAME=env:VAR|file:PATH|-'
        case 'contexts create --token-limit' 'contexts create --retention-days' 'contexts update --token-limit' 'contexts update --retention-days' 'keys rotate --parallel' 'keys rotate --max-failures' 'keys rotations resume --parallel' 'sessions transcript --tail' 'sessions transcript --from-seq' 'sessions transcript --parallel' 'sessions import --parallel' 'lifecycle decay --parallel' 'lifecycle expire --parallel' 'lifecycle fsck --parallel' 'lifecycle fsck --max-results' 'lifecycle reindex --parallel' '* --limit' '* --retries'; printf '%s\n' '__spectronctl_free' 'N'
        case 'contexts create --set' 'contexts update --set'; printf '%s\n' '__spectronctl_free' 'A.B=VALUE'
        case 'contexts create --config' 'contexts update --config' 'contexts clone --secret-file' 'contexts clone --secret-env-file' 'keys create --secret-file' 'keys create --secret-env-file' 'keys rotate --secret-file' 'keys rotate --secret-env-file' 'keys rotations resume --secret-file' 'keys rotations resume --secret-env-file' 'sessions list --scope' 'sessions transcript --output-file' 'sessions transcript --output-dir' 'sessions import --scope' 'sessions create --scope' 'profiles add --ca-file' 'serve --tls-cert' 'serve --tls-key' 'serve --secret-file' 'serve --secret-env-file' 'serve --ready-file' 'serve worker --ready-file' 'serve keys create --secret-file' 'serve keys create --secret-env-file' 'serve exec --seed' 'serve exec --log-file' 'doctor --bundle' 'doctor --save-ca' '* --api-key-file'; printf '%s\n' '__spectronctl_files'
        case 'contexts create --if-exists'; printf '%s\n' '__spectronctl_offer' 'fail' 'skip' 'update'
        case 'contexts update --unset'; printf '%s\n' '__spectronctl_free' 'A.B'
        case 'contexts delete --if-missing' 'keys delete --if-missing' 'sessions delete --if-missing'; printf '%s\n' '__spectronctl_offer' 'fail' 'ok'
        case 'contexts clone --if-exists'; printf '%s\n' '__spectronctl_offer' 'fail' 'skip'
        case 'contexts clone --secret-command' 'keys create --secret-command' 'keys rotate --secret-command' 'keys rotations resume --secret-command' 'profiles add --api-key-command' 'serve --secret-command' 'serve keys create --secret-command'; printf '%s\n' '__spectronctl_free' 'CMD'
        case 'contexts wait --for'; printf '%s\n' '__spectronctl_offer' 'exists' 'deleted'
        case 'contexts wait --wait-timeout' 'keys list --older-than' 'keys list --unused-for' 'keys list --expiring' 'keys create --expires-in' 'keys rotate --overlap' 'keys rotate --drain' 'keys rotate --older-than' 'keys rotate --unused-for' 'keys rotate --expiring' 'keys orphans --grace' 'lifecycle reindex --wait-timeout' 'lifecycle jobs watch --wait-timeout' 'exec --expires-in' '* --timeout'; printf '%s\n' '__spectronctl_free' 'DURATION'
        case 'keys list --principal' 'keys rotate --principal'; printf '%s\n' '__spectronctl_offer' 'agent' 'supervisor' 'management'
        case 'keys list --match' 'keys rotate --match'; printf '%s\n' '__spectronctl_free' 'GLOB'
        case 'keys create --principal' 'exec --principal'; printf '%s\n' '__spectronctl_offer' 'agent' 'supervisor'
        case 'keys create --scope-floor' 'exec --scope-floor'; printf '%s\n' '__spectronctl_free' 'A=B,C=D|JSON'
        case 'keys create --expires-at' 'sessions list --since' 'sessions list --until' 'sessions transcript --since' 'sessions transcript --until'; printf '%s\n' '__spectronctl_free' 'TIME'
        case 'keys create --if-exists'; printf '%s\n' '__spectronctl_offer' 'fail' 'skip' 'rotate'
        case 'ontology add --attribute' 'ontology remove --attribute'; printf '%s\n' '__spectronctl_free' 'TYPE=KEY,KEY'
        case 'ontology add --relation' 'ontology remove --relation'; printf '%s\n' '__spectronctl_free' 'LABEL'
        case 'sessions transcript --format'; printf '%s\n' '__spectronctl_offer' 'text' 'markdown' 'html' 'json' 'jsonl' 'csv'
        case 'sessions transcript --role'; printf '%s\n' '__spectronctl_offer' 'user' 'assistant' 'system' 'tool'
        case 'sessions import --session'; printf '%s\n' '__spectronctl_free' 'SESSION'
        case 'sessions create --metadata'; printf '%s\n' '__spectronctl_free' 'JSON'
        case 'lifecycle fsck --duplicate-threshold'; printf '%s\n' '__spectronctl_free' 'X'
        case 'lifecycle reindex --if-running'; printf '%s\n' '__spectronctl_offer' 'fail' 'join'
        case 'lifecycle jobs list --status'; printf '%s\n' '__spectronctl_offer' 'queued' 'running' 'succeeded' 'failed' 'cancelled'
        case 'lifecycle jobs list --kind'; printf '%s\n' '__spectronctl_free' 'KIND'
        case 'api --data' 'api -d'; printf '%s\n' '__spectronctl_free' 'JSON|@FILE|-'
        case 'api --field'; printf '%s\n' '__spectronctl_free' 'NAME=VALUE'
        case 'api --form'; printf '%s\n' '__spectronctl_free' 'NAME=VALUE|@FILE'
        case 'api --header'; printf '%s\n' '__spectronctl_free' 'NAME:VALUE'
        case 'profiles add --api-key-env'; printf '%s\n' '__spectronctl_free' 'VAR'
        case 'profiles add --auth-header'; printf '%s\n' '__spectronctl_offer' 'both' 'bearer' 'api-key'
        case 'profiles add --proxy' 'serve --store' 'serve worker --store' 'serve keys list --store' 'serve keys create --store' 'serve keys revoke --store' '* --url'; printf '%s\n' '__spectronctl_free' 'URL'
        case 'serve --host'; printf '%s\n' '__spectronctl_free' 'HOST'
        case 'serve --port'; printf '%s\n' '__spectronctl_free' 'PORT'
        case 'serve --log-format' 'serve worker --log-format' 'serve exec --log-format'; printf '%s\n' '__spectronctl_offer' 'text' 'json'
        case 'whoami --plane'; printf '%s\n' '__spectronctl_offer' 'management' 'context' 'both'
        case '* --profile'; printf '%s\n' '__spectronctl_ask' 'profiles'
        case '* --api-key'; printf '%s\n' '__spectronctl_free' 'KEY'
        case '* --context' '* -c'; printf '%s\n' '__spectronctl_ask' 'contexts'
        case '* --output' '* -o'; printf '%s\n' '__spectronctl_offer' 'table' 'wide' 'json' 'jsonl' 'yaml' 'csv' 'name'
        case '* --query'; printf '%s\n' '__spectronctl_free' 'JMESPATH'
        case '* --columns'; printf '%s\n' '__spectronctl_free' 'A,B'
        case '* --sort'; printf '%s\n' '__spectronctl_free' '[-]COLUMN'
        case '* --color'; printf '%s\n' '__spectronctl_offer' 'auto' 'always' 'never'
    end
end

function __spectronctl_argument
    switch "$argv"
        case 'contexts get 0'; printf '%s\n' '__spectronctl_ask' 'contexts'
        case 'contexts create 0'; printf '%s\n' '__spectronctl_free' 'ID'
        case 'contexts update 0'; printf '%s\n' '__spectronctl_ask' 'contexts'
        case 'contexts delete *'; printf '%s\n' '__spectronctl_ask' 'contexts'
        case 'contexts clone 0'; printf '%s\n' '__spectronctl_free' 'SRC'
        case 'contexts clone 1'; printf '%s\n' '__spectronctl_free' 'DST'
        case 'contexts wait 0'; printf '%s\n' '__spectronctl_ask' 'contexts'
        case 'keys get 0'; printf '%s\n' '__spectronctl_free' 'KEY'
        case 'keys create 0'; printf '%s\n' '__spectronctl_free' 'NAME'
        case 'keys rotate 0'; printf '%s\n' '__spectronctl_free' 'KEY'
        case 'keys rotations get 0'; printf '%s\n' '__spectronctl_free' 'ROTATION'
        case 'keys rotations resume *'; printf '%s\n' '__spectronctl_free' 'ROTATION'
        case 'keys rotations abort 0'; printf '%s\n' '__spectronctl_free' 'ROTATION'
        case 'keys delete *'; printf '%s\n' '__spectronctl_free' 'KEY'
        case 'keys verify 0'; printf '%s\n' '__spectronctl_free' 'SOURCE'
        case 'ontology set 0'; printf '%s\n' '__spectronctl_files'
        case 'ontology diff 0'; printf '%s\n' '__spectronctl_files'
        case 'ontology validate 0'; printf '%s\n' '__spectronctl_files'
        case 'sessions get 0'; printf '%s\n' '__spectronctl_free' 'SESSION'
        case 'sessions transcript *'; printf '%s\n' '__spectronctl_free' 'SESSION'
        case 'sessions import 0'; printf '%s\n' '__spectronctl_files'
        case 'sessions context 0'; printf '%s\n' '__spectronctl_free' 'SESSION'
        case 'sessions context 1'; printf '%s\n' '__spectronctl_free' 'QUERY'
        case 'sessions delete *'; printf '%s\n' '__spectronctl_free' 'SESSION'
        case 'lifecycle decay *'; printf '%s\n' '__spectronctl_ask' 'contexts'
        case 'lifecycle expire *'; printf '%s\n' '__spectronctl_ask' 'contexts'
        case 'lifecycle fsck *'; printf '%s\n' '__spectronctl_ask' 'contexts'
        case 'lifecycle reindex *'; printf '%s\n' '__spectronctl_ask' 'contexts'
        case 'lifecycle jobs get 0'; printf '%s\n' '__spectronctl_free' 'JOB'
        case 'lifecycle jobs watch 0'; printf '%s\n' '__spectronctl_free' 'JOB'
        case 'lifecycle jobs cancel 0'; printf '%s\n' '__spectronctl_free' 'JOB'
        case 'exec *'; printf '%s\n' '__spectronctl_free' 'CMD'
        case 'api 0'; printf '%s\n' '__spectronctl_offer' 'GET' 'POST' 'PUT' 'PATCH' 'DELETE' 'HEAD' 'OPTIONS'
        case 'api 1'; printf '%s\n' '__spectronctl_free' 'PATH'
        case 'profiles get 0'; printf '%s\n' '__spectronctl_ask' 'profiles'
        case 'profiles show 0'; printf '%s\n' '__spectronctl_ask' 'profiles'
        case 'profiles add 0'; printf '%s\n' '__spectronctl_free' 'NAME'
        case 'profiles use 0'; printf '%s\n' '__spectronctl_ask' 'profiles'
        case 'profiles set 0'; printf '%s\n' '__spectronctl_ask' 'profiles'
        case 'profiles set 1'; printf '%s\n' '__spectronctl_free' 'FIELD'
        case 'profiles set 2'; printf '%s\n' '__spectronctl_free' 'VALUE|-'
        case 'profiles unset 0'; printf '%s\n' '__spectronctl_ask' 'profiles'
        case 'profiles unset 1'; printf '%s\n' '__spectronctl_free' 'FIELD'
        case 'profiles rename 0'; printf '%s\n' '__spectronctl_ask' 'profiles'
        case 'profiles rename 1'; printf '%s\n' '__spectronctl_free' 'NEW'
        case 'profiles remove 0'; printf '%s\n' '__spectronctl_ask' 'profiles'
        case 'serve keys create 0'; printf '%s\n' '__spectronctl_free' 'NAME'
        case 'serve keys revoke 0'; printf '%s\n' '__spectronctl_free' 'ID'
        case 'serve exec *'; printf '%s\n' '__spectronctl_free' 'CMD'
        case 'completion 0'; printf '%s\n' '__spectronctl_offer' 'bash' 'zsh' 'fish' 'powershell'
    end
end

function __spectronctl_commands
    switch "$argv"
        case ''; printf '%s\t%s\n' 'contexts' 'Create, configure and delete contexts' 'keys' 'Create, rotate and revoke the API keys of a context' 'ontology' 'Manage what extraction looks for: types, attributes, relations' 'sessions' 'Read what agents said: list, print, export, import conversations' 'lifecycle' 'Maintain memory: decay, expiry, checks, reindexing and jobs' 'exec' 'Run a program with a key of its own, which is deleted afterwards' 'migrations' 'Show which schema the databases of the contexts have' 'api' 'Send any request, with the keys, retries and errors of the rest' 'profiles' 'Manage profiles of the servers you work with' 'serve' 'Run a Spectron server on SurrealDB until it is told to stop' 'completion' 'Print a completion script for a shell' 'options' 'List the global options, which every command takes' 'version' 'Show the version of spectronctl, and compare it with the server' 'whoami' 'Show who a key is, and what it may do' 'doctor' 'Check everything between here and the server'
        case 'contexts'; printf '%s\t%s\n' 'list' 'List the contexts of the server' 'get' 'Show one context and its configuration' 'create' 'Create a context on a database of its own' 'update' 'Change the configuration of a context' 'delete' 'Delete contexts with their databases and their keys, for good' 'clone' 'Clone a context: configuration, ontology, keys with new secrets' 'wait' 'Wait until a context exists, or is deleted, and show it'
        case 'keys'; printf '%s\t%s\n' 'list' 'List the keys of a context, without secrets' 'get' 'Show one key, without its secret' 'create' 'Create a key; its secret is shown or written once' 'rotate' 'Give a key a new secret, at once or with an overlap' 'rotations' 'List, resume or abort rotations in progress' 'delete' 'Revoke keys at once' 'verify' 'Check that a secret works, and show its principal and grants' 'orphans' 'List keys that are probably lost or no longer used, and why'
        case 'keys rotations'; printf '%s\t%s\n' 'list' 'List the rotations that this user has under way, from the journal' 'get' 'Show one rotation, from the journal' 'resume' 'Finish what is due: deliver secrets, delete old keys' 'abort' 'Give a rotation up; only an undelivered successor is deleted'
        case 'ontology'; printf '%s\t%s\n' 'get' 'Show the ontology: entity types, attribute keys, relations' 'set' 'Replace the ontology by a file; asks before names are removed' 'edit' 'Edit the ontology in your editor; changes of others are kept' 'diff' 'Show what `set` would change: - is removed, + is added' 'delete' 'Delete the whole ontology' 'validate' 'Check a file, and list all its errors; needs no server' 'add' 'Add names to the ontology; existing names stay as they are' 'remove' 'Remove names from the ontology; a type\'s attribute keys go with it'
        case 'sessions'; printf '%s\t%s\n' 'list' 'List the sessions of a context, oldest first' 'get' 'Show one session: its metadata, its turns, the first and the last' 'transcript' 'Print the transcript of a session, or write many to files' 'import' 'Append a conversation from a file to a session; safe to repeat' 'context' 'Get the parts of a session that match a query, for a prompt' 'create' 'Create an empty session' 'delete' 'Delete sessions with all their turns, for good'
        case 'lifecycle'; printf '%s\t%s\n' 'decay' 'Expire memories that are past their time, and prune the cache' 'expire' 'Expire memories past their time, by category, or count them' 'fsck' 'Check memory for errors: duplicates, contradictions and the like' 'reindex' 'Embed every chunk again, rebuild the indexes, and wait for the end' 'jobs' 'List, watch and cancel jobs, which take longer than a request'
        case 'lifecycle jobs'; printf '%s\t%s\n' 'list' 'List the jobs of a context, the oldest first' 'get' 'Show one job' 'watch' 'Wait until a job is over, and show it' 'cancel' 'Cancel a job: a queued one at once, a running one between batches'
        case 'migrations'; printf '%s\t%s\n' 'status' 'Show the schema version of each context\'s database, and the newest'
        case 'profiles'; printf '%s\t%s\n' 'list' 'List the profiles, the built-in `local` included' 'get' 'Show one profile as the config file has it, keys by their source' 'current' 'Show which profile is used here and now, and what chose it' 'show' 'Show every setting as it resolves here and now, and which layer won' 'add' 'Add a profile: a server, where its key is, and defaults' 'use' 'Make a profile the default one' 'set' 'Set one field of a profile' 'unset' 'Clear one field of a profile' 'rename' 'Give a profile another name; the default profile stays the default' 'remove' 'Remove a profile; its server does not change' 'path' 'Print where the config file is, whether it exists or not'
        case 'serve'; printf '%s\t%s\n' 'worker' 'Run the jobs of a store, without a server, until stopped' 'keys' 'Manage management keys, while no server runs on the store' 'exec' 'Run a program with a temporary server, which ends with it'
        case 'serve keys'; printf '%s\t%s\n' 'list' 'List the management keys of a store; never a secret' 'create' 'Make a management key; its secret is shown or written once' 'revoke' 'Revoke a management key at once'
    end
end

function __spectronctl_options
    switch "$argv"
        case ''; printf '%s\t%s\n' '--help' 'Show this message and exit' '-h' 'Show this message and exit'
        case 'contexts'; printf '%s\t%s\n' '--help' 'Show this message and exit' '-h' 'Show this message and exit'
        case 'contexts list'; printf '%s\t%s\n' '--match' 'Show only contexts whose id matches this pattern, such as \'acme-*\'' '--label' 'Show only contexts with this label in config.labels; may be repeated' '--help' 'Show this message and exit' '-h' 'Show this message and exit'
        case 'contexts get'; printf '%s\t%s\n' '--help' 'Show this message and exit' '-h' 'Show this message and exit'
        case 'contexts create'; printf '%s\t%s\n' '--namespace' 'Bind the context to this SurrealDB namespace' '--database' 'Bind the context to this SurrealDB database' '--model-extraction' 'Use this model for extraction' '--model-response' 'Use this model for response' '--model-reflection' 'Use this model for reflection' '--model-reconciliation' 'Use this model for reconciliation' '--model-synthesis' 'Use this model for synthesis' '--model-elaboration-consolidation' 'Use this model for elaboration_consolidation' '--model-embedding' 'Use this model for embedding; local/hashing compares words, not what they mean' '--model' 'Use this model for a stage' '--provider' 'Read a provider\'s key from a variable, a file or stdin' '--token-limit' 'Allow this number of tokens' '--retention-days' 'Keep memories for this number of days' '--set' 'Set any field; VALUE is JSON or text' '--config' 'Start from this JSON, TOML or YAML file' '--if-exists' 'Choose what to do if it already exists' '--confirm' 'Confirm with the name, without a question' '--help' 'Show this message and exit' '-h' 'Show this message and exit'
        case 'contexts update'; printf '%s\t%s\n' '--model-extraction' 'Use this model for extraction' '--model-response' 'Use this model for response' '--model-reflection' 'Use this model for reflection' '--model-reconciliation' 'Use this model for reconciliation' '--model-synthesis' 'Use this model for synthesis' '--model-elaboration-consolidation' 'Use this model for elaboration_consolidation' '--model-embedding' 'Use this model for embedding; local/hashing compares words, not what they mean' '--model' 'Use this model for a stage' '--provider' 'Read a provider\'s key from a variable, a file or stdin' '--token-limit' 'Allow this number of tokens' '--retention-days' 'Keep memories for this number of days' '--set' 'Set any field; VALUE is JSON or text' '--config' 'Start from this JSON, TOML or YAML file' '--unset' 'Clear a field' '--confirm' 'Confirm with the name, without a question' '--help' 'Show this message and exit' '-h' 'Show this message and exit'
        case 'contexts delete'; printf '%s\t%s\n' '--confirm' 'Confirm with the name, without a question' '--if-missing' 'Choose what to do if it does not exist' '--help' 'Show this message and exit' '-h' 'Show this message and exit'
        case 'contexts clone'; printf '%s\t%s\n' '--namespace' 'Bind the context to this SurrealDB namespace' '--database' 'Bind the context to this SurrealDB database' '--provider' 'Read a provider\'s key from a variable, a file or stdin' '--no-keys' 'Do not clone the keys' '--no-ontology' 'Do not clone the ontology' '--if-exists' 'Choose what to do if DST already exists; skip only adds what is missing' '--dry-run' 'Show the plan, and change nothing' '--secret-file' 'Write the secret to a new 0600 file' '--secret-env-file' 'Put the secret in a dotenv file' '--secret-command' 'Pipe the secret into a command' '--force' 'Replace an existing file or variable' '--reveal' 'Print the secret even on a terminal' '--help' 'Show this message and exit' '-h' 'Show this message and exit'
        case 'contexts wait'; printf '%s\t%s\n' '--for' 'Wait for this condition' '--wait-timeout' 'Wait at most this duration, such as 10m; also for a server that is not up yet' '--help' 'Show this message and exit' '-h' 'Show this message and exit'
        case 'keys'; printf '%s\t%s\n' '--help' 'Show this message and exit' '-h' 'Show this message and exit'
        case 'keys list'; printf '%s\t%s\n' '--older-than' 'Show only keys older than this duration, such as 90d' '--unused-for' 'Show only keys that have not been used for this long, such as 30d' '--expiring' 'Show only keys that expire within this duration, such as 7d' '--principal' 'Show only keys of this principal' '--match' 'Show only keys with a name like this, such as \'app-*\'' '--help' 'Show this message and exit' '-h' 'Show this message and exit'
        case 'keys get'; printf '%s\t%s\n' '--help' 'Show this message and exit' '-h' 'Show this message and exit'
        case 'keys create'; printf '%s\t%s\n' '--principal' 'Grant these rights to the key' '--scope-floor' 'Limit the key to this scope' '--expires-at' 'Let the key expire at this RFC 3339 time' '--expires-in' 'Let the key expire after this duration, such as 90d' '--secret-file' 'Write the secret to a new 0600 file' '--secret-env-file' 'Put the secret in a dotenv file' '--secret-command' 'Pipe the secret into a command' '--force' 'Replace an existing file or variable' '--reveal' 'Print the secret even on a terminal' '--if-exists' 'Choose what to do if it already exists' '--confirm' 'Confirm with the name, without a question' '--recover' 'Rotate again if the response is lost, to get a secret that is known' '--help' 'Show this message and exit' '-h' 'Show this message and exit'
        case 'keys rotate'; printf '%s\t%s\n' '--overlap' 'Keep the old key working for this duration, such as 24h' '--drain' 'Delete the old key only once it was unused for this duration; with --overlap.  [default: 5m]' '--leaked' 'Delete the old key first, then create and deliver a new one' '--secret-file' 'Write the secret to a new 0600 file' '--secret-env-file' 'Put the secret in a dotenv file' '--secret-command' 'Pipe the secret into a command' '--force' 'Replace an existing file or variable' '--reveal' 'Print the secret even on a terminal' '--older-than' 'Show only keys older than this duration, such as 90d' '--unused-for' 'Show only keys that have not been used for this long, such as 30d' '--expiring' 'Show only keys that expire within this duration, such as 7d' '--principal' 'Show only keys of this principal' '--match' 'Show only keys with a name like this, such as \'app-*\'' '--all' 'Rotate every key of the context' '--parallel' 'Run N rotations at the same time' '--max-failures' 'Start no more rotations after N failures' '--dry-run' 'Show the plan, and change nothing' '--confirm' 'Confirm with the name, without a question' '--recover' 'Rotate again if the response is lost, to get a secret that is known' '--wait' 'Wait until the old key is deleted; an interrupt loses nothing' '--help' 'Show this message and exit' '-h' 'Show this message and exit'
        case 'keys rotations'; printf '%s\t%s\n' '--help' 'Show this message and exit' '-h' 'Show this message and exit'
        case 'keys rotations list'; printf '%s\t%s\n' '--all' 'Show finished rotations, too' '--help' 'Show this message and exit' '-h' 'Show this message and exit'
        case 'keys rotations get'; printf '%s\t%s\n' '--help' 'Show this message and exit' '-h' 'Show this message and exit'
        case 'keys rotations resume'; printf '%s\t%s\n' '--secret-file' 'Write the secret to a new 0600 file' '--secret-env-file' 'Put the secret in a dotenv file' '--secret-command' 'Pipe the secret into a command' '--force' 'Replace an existing file or variable' '--reveal' 'Print the secret even on a terminal' '--wait' 'Wait until the old key is deleted; an interrupt loses nothing' '--parallel' 'Run N rotations at the same time' '--help' 'Show this message and exit' '-h' 'Show this message and exit'
        case 'keys rotations abort'; printf '%s\t%s\n' '--help' 'Show this message and exit' '-h' 'Show this message and exit'
        case 'keys delete'; printf '%s\t%s\n' '--confirm' 'Confirm with the name, without a question' '--if-missing' 'Choose what to do if it does not exist' '--help' 'Show this message and exit' '-h' 'Show this message and exit'
        case 'keys verify'; printf '%s\t%s\n' '--help' 'Show this message and exit' '-h' 'Show this message and exit'
        case 'keys orphans'; printf '%s\t%s\n' '--grace' 'Skip keys made or used within this duration, such as 7d; 0s skips none' '--help' 'Show this message and exit' '-h' 'Show this message and exit'
        case 'ontology'; printf '%s\t%s\n' '--help' 'Show this message and exit' '-h' 'Show this message and exit'
        case 'ontology get'; printf '%s\t%s\n' '--help' 'Show this message and exit' '-h' 'Show this message and exit'
        case 'ontology set'; printf '%s\t%s\n' '--confirm' 'Confirm with the name, without a question' '--help' 'Show this message and exit' '-h' 'Show this message and exit'
        case 'ontology edit'; printf '%s\t%s\n' '--confirm' 'Confirm with the name, without a question' '--help' 'Show this message and exit' '-h' 'Show this message and exit'
        case 'ontology diff'; printf '%s\t%s\n' '--exit-code' 'Exit with code 20 if there are differences' '--help' 'Show this message and exit' '-h' 'Show this message and exit'
        case 'ontology delete'; printf '%s\t%s\n' '--confirm' 'Confirm with the name, without a question' '--help' 'Show this message and exit' '-h' 'Show this message and exit'
        case 'ontology validate'; printf '%s\t%s\n' '--help' 'Show this message and exit' '-h' 'Show this message and exit'
        case 'ontology add'; printf '%s\t%s\n' '--entity-type' 'Use this entity type; may be repeated' '--attribute' 'Use these attribute keys of a type; may be repeated' '--relation' 'Use this relation label; may be repeated' '--help' 'Show this message and exit' '-h' 'Show this message and exit'
        case 'ontology remove'; printf '%s\t%s\n' '--entity-type' 'Use this entity type; may be repeated' '--attribute' 'Use these attribute keys of a type; may be repeated' '--relation' 'Use this relation label; may be repeated' '--confirm' 'Confirm with the name, without a question' '--help' 'Show this message and exit' '-h' 'Show this message and exit'
        case 'sessions'; printf '%s\t%s\n' '--help' 'Show this message and exit' '-h' 'Show this message and exit'
        case 'sessions list'; printf '%s\t%s\n' '--since' 'Show only sessions created since this time: 7d (ago), or 2026-05-01' '--until' 'Show only sessions created until this time: 7d (ago), or 2026-05-01' '--scope' 'Show only sessions tagged at or below this path' '--help' 'Show this message and exit' '-h' 'Show this message and exit'
        case 'sessions get'; printf '%s\t%s\n' '--help' 'Show this message and exit' '-h' 'Show this message and exit'
        case 'sessions transcript'; printf '%s\t%s\n' '--format' 'Choose the format; by default text, or what -o or the file name says' '--tail' 'Print only the last N turns' '--from-seq' 'Print only turns from this number (seq) on' '--role' 'Print only turns of this role; may be repeated' '--since' 'Print only turns said since this time: 7d (ago), or 2026-05-01' '--until' 'Print only turns said until this time: 7d (ago), or 2026-05-01' '--grep' 'Print only turns whose text this regular expression finds; (?i) ignores case' '--follow' 'Print new turns as they come, until interrupted' '--output-file' 'Write to this file' '--output-dir' 'Write a file for each session to this directory' '--resume' 'Continue the files of an interrupted run' '--force' 'Replace existing files' '--all' 'Write every session of the context; needs --output-dir' '--parallel' 'Send N requests at the same time' '--help' 'Show this message and exit' '-h' 'Show this message and exit'
        case 'sessions import'; printf '%s\t%s\n' '--session' 'Append to this session; by default a new one is created' '--scope' 'Tag the session with this path; may be repeated' '--parallel' 'Send N requests at the same time' '--help' 'Show this message and exit' '-h' 'Show this message and exit'
        case 'sessions context'; printf '%s\t%s\n' '--help' 'Show this message and exit' '-h' 'Show this message and exit'
        case 'sessions create'; printf '%s\t%s\n' '--scope' 'Tag the session with this path; may be repeated' '--metadata' 'Keep this JSON object with the session' '--help' 'Show this message and exit' '-h' 'Show this message and exit'
        case 'sessions delete'; printf '%s\t%s\n' '--confirm' 'Confirm with the name, without a question' '--if-missing' 'Choose what to do if it does not exist' '--help' 'Show this message and exit' '-h' 'Show this message and exit'
        case 'lifecycle'; printf '%s\t%s\n' '--help' 'Show this message and exit' '-h' 'Show this message and exit'
        case 'lifecycle decay'; printf '%s\t%s\n' '--all-contexts' 'Use every context of the server' '--parallel' 'Process N contexts at the same time' '--confirm' 'Confirm with the name, without a question' '--help' 'Show this message and exit' '-h' 'Show this message and exit'
        case 'lifecycle expire'; printf '%s\t%s\n' '--all-contexts' 'Use every context of the server' '--parallel' 'Process N contexts at the same time' '--dry-run' 'Show how many memories would expire, and change nothing' '--confirm' 'Confirm with the name, without a question' '--help' 'Show this message and exit' '-h' 'Show this message and exit'
        case 'lifecycle fsck'; printf '%s\t%s\n' '--all-contexts' 'Use every context of the server' '--parallel' 'Process N contexts at the same time' '--check' 'Run only this check: one of duplicates, contradictions, injection, unscoped_content, broken_references' '--duplicate-threshold' 'Report as duplicates from this similarity, from 0 to 1' '--max-results' 'Show at most N findings of each kind' '--exit-code' 'Exit with code 20 if there are findings' '--help' 'Show this message and exit' '-h' 'Show this message and exit'
        case 'lifecycle reindex'; printf '%s\t%s\n' '--all-contexts' 'Use every context of the server' '--parallel' 'Process N contexts at the same time' '--no-wait' 'Start the job, and do not wait for it' '--wait-timeout' 'Wait at most this duration, such as 10m; the job goes on' '--if-running' 'Choose what to do if a reindex is already running' '--help' 'Show this message and exit' '-h' 'Show this message and exit'
        case 'lifecycle jobs'; printf '%s\t%s\n' '--help' 'Show this message and exit' '-h' 'Show this message and exit'
        case 'lifecycle jobs list'; printf '%s\t%s\n' '--status' 'Show only jobs with this status' '--kind' 'Show only jobs of this kind, such as reindex' '--help' 'Show this message and exit' '-h' 'Show this message and exit'
        case 'lifecycle jobs get'; printf '%s\t%s\n' '--help' 'Show this message and exit' '-h' 'Show this message and exit'
        case 'lifecycle jobs watch'; printf '%s\t%s\n' '--wait-timeout' 'Wait at most this duration, such as 10m; the job goes on' '--help' 'Show this message and exit' '-h' 'Show this message and exit'
        case 'lifecycle jobs cancel'; printf '%s\t%s\n' '--wait' 'Wait until the job is cancelled, between two batches' '--help' 'Show this message and exit' '-h' 'Show this message and exit'
        case 'exec'; printf '%s\t%s\n' '--key' 'Give the program the rights of this key' '--principal' 'Grant the program these rights, if that key does not exist' '--scope-floor' 'Limit the program to this scope, if that key does not exist' '--expires-in' 'Let the program\'s key expire after this duration, such as 1h; the program must end before' '--help' 'Show this message and exit' '-h' 'Show this message and exit'
        case 'migrations'; printf '%s\t%s\n' '--help' 'Show this message and exit' '-h' 'Show this message and exit'
        case 'migrations status'; printf '%s\t%s\n' '--help' 'Show this message and exit' '-h' 'Show this message and exit'
        case 'api'; printf '%s\t%s\n' '--data' 'Send this body as it is' '-d' 'Send this body as it is' '--field' 'Set a field of the JSON body (a.b is nested), or a parameter of GET and DELETE; @FILE reads VALUE' '--form' 'Add a part to a multipart body; @FILE[;type=TYPE][;filename=NAME] sends a file, @- stdin' '--header' 'Add this header' '--paginate' 'Follow a list to its end, or to --limit' '--include' 'Print the status and the headers, too' '--reveal' 'Print the secret of a new key even on a terminal' '--confirm' 'Confirm with the name, without a question' '--help' 'Show this message and exit' '-h' 'Show this message and exit'
        case 'profiles'; printf '%s\t%s\n' '--help' 'Show this message and exit' '-h' 'Show this message and exit'
        case 'profiles list'; printf '%s\t%s\n' '--help' 'Show this message and exit' '-h' 'Show this message and exit'
        case 'profiles get'; printf '%s\t%s\n' '--help' 'Show this message and exit' '-h' 'Show this message and exit'
        case 'profiles current'; printf '%s\t%s\n' '--help' 'Show this message and exit' '-h' 'Show this message and exit'
        case 'profiles show'; printf '%s\t%s\n' '--help' 'Show this message and exit' '-h' 'Show this message and exit'
        case 'profiles add'; printf '%s\t%s\n' '--api-key-env' 'Read the key from this variable' '--api-key-command' 'Run this program, which prints the key' '--auth-header' 'Send the key in this header' '--ca-file' 'Trust the certificates in this file, too' '--proxy' 'Connect through this proxy' '--protected' 'Ask for a typed name before anything is deleted' '--use' 'Make it the default profile' '--check' 'Check the key first, and add nothing if it fails' '--help' 'Show this message and exit' '-h' 'Show this message and exit'
        case 'profiles use'; printf '%s\t%s\n' '--help' 'Show this message and exit' '-h' 'Show this message and exit'
        case 'profiles set'; printf '%s\t%s\n' '--help' 'Show this message and exit' '-h' 'Show this message and exit'
        case 'profiles unset'; printf '%s\t%s\n' '--help' 'Show this message and exit' '-h' 'Show this message and exit'
        case 'profiles rename'; printf '%s\t%s\n' '--help' 'Show this message and exit' '-h' 'Show this message and exit'
        case 'profiles remove'; printf '%s\t%s\n' '--help' 'Show this message and exit' '-h' 'Show this message and exit'
        case 'profiles path'; printf '%s\t%s\n' '--help' 'Show this message and exit' '-h' 'Show this message and exit'
        case 'serve'; printf '%s\t%s\n' '--host' 'Bind to this address' '--port' 'Listen on this port; 0 chooses a free one' '--tls-cert' 'Read the certificate chain from this PEM file' '--tls-key' 'Read its private key from this PEM file' '--insecure-bind' 'Bind beyond loopback without TLS' '--secret-file' 'Write the secret to a new 0600 file' '--secret-env-file' 'Put the secret in a dotenv file' '--secret-command' 'Pipe the secret into a command' '--force' 'Replace an existing file or variable' '--reveal' 'Print the secret even on a terminal' '--store' 'Use this store: surrealkv://PATH, mem:// or ws://HOST; by default that of --profile local' '--bootstrap' 'Create the first management key, if there is none' '--no-worker' 'Run no jobs here; see \'serve worker\'' '--allow-private-providers' 'Ask providers at private addresses; a server on loopback always may' '--ready-file' 'Write the ready line to this file' '--log-format' 'Choose the format of the log on stderr' '--help' 'Show this message and exit' '-h' 'Show this message and exit'
        case 'serve worker'; printf '%s\t%s\n' '--store' 'Use this store: surrealkv://PATH, mem:// or ws://HOST; by default that of --profile local' '--allow-private-providers' 'Ask providers at private addresses; a server on loopback always may' '--ready-file' 'Write the ready line to this file' '--log-format' 'Choose the format of the log on stderr' '--help' 'Show this message and exit' '-h' 'Show this message and exit'
        case 'serve keys'; printf '%s\t%s\n' '--help' 'Show this message and exit' '-h' 'Show this message and exit'
        case 'serve keys list'; printf '%s\t%s\n' '--store' 'Use this store: surrealkv://PATH, mem:// or ws://HOST; by default that of --profile local' '--help' 'Show this message and exit' '-h' 'Show this message and exit'
        case 'serve keys create'; printf '%s\t%s\n' '--secret-file' 'Write the secret to a new 0600 file' '--secret-env-file' 'Put the secret in a dotenv file' '--secret-command' 'Pipe the secret into a command' '--force' 'Replace an existing file or variable' '--reveal' 'Print the secret even on a terminal' '--store' 'Use this store: surrealkv://PATH, mem:// or ws://HOST; by default that of --profile local' '--help' 'Show this message and exit' '-h' 'Show this message and exit'
        case 'serve keys revoke'; printf '%s\t%s\n' '--store' 'Use this store: surrealkv://PATH, mem:// or ws://HOST; by default that of --profile local' '--help' 'Show this message and exit' '-h' 'Show this message and exit'
        case 'serve exec'; printf '%s\t%s\n' '--seed' 'Create the contexts in this file: JSON, TOML or YAML, chosen by suffix' '--log-file' 'Log all requests to this file; without it, warnings go to stderr' '--log-format' 'Choose the format of the log on stderr' '--help' 'Show this message and exit' '-h' 'Show this message and exit'
        case 'completion'; printf '%s\t%s\n' '--help' 'Show this message and exit' '-h' 'Show this message and exit'
        case 'options'; printf '%s\t%s\n' '--help' 'Show this message and exit' '-h' 'Show this message and exit'
        case 'version'; printf '%s\t%s\n' '--server' 'Show the version of the server, too' '--check-server' 'Compare with the server; exit with code 20 if it is older or newer' '--help' 'Show this message and exit' '-h' 'Show this message and exit'
        case 'whoami'; printf '%s\t%s\n' '--plane' 'Choose the key; by default that of the context, if one is chosen' '--help' 'Show this message and exit' '-h' 'Show this message and exit'
        case 'doctor'; printf '%s\t%s\n' '--bundle' 'Write a report without secrets to this file, for an issue' '--save-ca' 'Save the authority\'s certificate that the server sends to this file' '--force' 'Replace existing files' '--help' 'Show this message and exit' '-h' 'Show this message and exit'
    end
    printf '%s\t%s\n' '--profile' 'Use this profile; `local` needs no server' '--url' 'Send requests to this server' '--api-key' 'Use this key; other users can see it, so prefer --api-key-file' '--api-key-file' 'Read the key from this file' '--context' 'Use this context' '-c' 'Use this context' '--output' 'Choose the output format' '-o' 'Choose the output format' '--json' 'Print JSON, like -o json' '--query' 'Select from the result with JMESPath' '--columns' 'Show these columns of a table' '--sort' 'Sort a table by this column' '--limit' 'Stop a list after N items' '--no-header' 'Print tables without a header' '--quiet' 'Print no notes on stderr' '-q' 'Print no notes on stderr' '--yes' 'Answer yes to every question' '-y' 'Answer yes to every question' '--no-input' 'Fail instead of asking a question' '--color' 'Choose when to use colour' '--timeout' 'Limit each call to this duration, retries included, such as 30s or 2m' '--retries' 'Retry a failed read up to N times' '--debug' 'Log requests to stderr' '--version' 'Print the version and exit'
end

function __spectronctl_offer
    printf '%s\n' $argv
end

function __spectronctl_ask
    command -q spectronctl; and command spectronctl __complete $argv 2>/dev/null
end

function __spectronctl_files
    __fish_complete_path (string replace -r -- '^--[^=]*=' '' (commandline -ct))
end

function __spectronctl_free
end

function __spectronctl
    set -l at ''
    set -l count 0
    set -l fill
    set -l option ''
    set -l rest ''
    set -l words (commandline -opc)
    set -e words[1]
    for word in $words
        if test -n "$option"
            set option ''
        else if test -z "$rest"; and test "$word" = --
            set rest yes
        else if test -z "$rest"; and string match -qr -- '^-.' $word
            set fill (__spectronctl_value "$at $word")
            set -q fill[1]; and set option $word
        else
            set -l next
            test $count -eq 0; and set next (__spectronctl_step "$at $word")
            if set -q next[1]
                set at $next
            else
                set count (math $count + 1)
            end
        end
    end
    set -l cur (commandline -ct)
    if test -n "$option"
        $fill
        return
    end
    if test -z "$rest"; and set -l name (string match -r -- '^--[^=]*(?==)' $cur)
        set fill (__spectronctl_value "$at $name")
        set -q fill[1]; and string replace -r -- '^' "$name=" ($fill)
    else if test -z "$rest"; and string match -q -- '-*' $cur
        __spectronctl_options $at
    else
        test $count -eq 0; and __spectronctl_commands $at
        set fill (__spectronctl_argument "$at $count")
        set -q fill[1]; and $fill
    end
end

complete -c spectronctl -f -a '(__spectronctl)'
