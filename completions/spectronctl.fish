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
        case 'keys rotations'; printf '%s\n' 'keys rotations'
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
        case 'lifecycle jobs'; printf '%s\n' 'lifecycle jobs'
        case 'lifecycle jobs list' 'lifecycle jobs ls'; printf '%s\n' 'lifecycle jobs list'
        case 'lifecycle jobs get' 'lifecycle jobs show'; printf '%s\n' 'lifecycle jobs get'
        case 'lifecycle jobs watch'; printf '%s\n' 'lifecycle jobs watch'
        case 'lifecycle jobs cancel'; printf '%s\n' 'lifecycle jobs cancel'
        case 'migrations status'; printf '%s\n' 'migrations status'
        case 'profiles list' 'profiles ls'; printf '%s\n' 'profiles list'
        case 'profiles show'; printf '%s\n' 'profiles show'
        case 'profiles add'; printf '%s\n' 'profiles add'
        case 'profiles use'; printf '%s\n' 'profiles use'
        case 'profiles set'; printf '%s\n' 'profiles set'
        case 'profiles unset'; printf '%s\n' 'profiles unset'
        case 'profiles remove' 'profiles rm'; printf '%s\n' 'profiles remove'
        case 'profiles path'; printf '%s\n' 'profiles path'
        case 'serve worker'; printf '%s\n' 'serve worker'
        case 'serve keys'; printf '%s\n' 'serve keys'
        case 'serve exec'; printf '%s\n' 'serve exec'
        case 'serve keys list' 'serve keys ls'; printf '%s\n' 'serve keys list'
        case 'serve keys create'; printf '%s\n' 'serve keys create'
        case 'serve keys revoke'; printf '%s\n' 'serve keys revoke'
    end
end

function __spectronctl_value
    switch "$argv"
        case 'contexts create --namespace' 'contexts create --database' 'contexts delete --confirm' 'contexts clone --namespace' 'contexts clone --database' 'keys create --confirm' 'keys rotate --confirm' 'keys delete --confirm' 'ontology set --confirm' 'ontology edit --confirm' 'ontology delete --confirm' 'ontology add --entity-type' 'ontology remove --entity-type' 'ontology remove --confirm' 'sessions delete --confirm' 'lifecycle fsck --check' 'exec --key' 'api --confirm'; printf '%s\n' '__spectronctl_free' 'NAME'
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
        case 'keys create --expires-at' 'sessions list --since' 'sessions list --until'; printf '%s\n' '__spectronctl_free' 'TIME'
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
        case 'contexts delete 0'; printf '%s\n' '__spectronctl_ask' 'contexts'
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
        case 'profiles show 0'; printf '%s\n' '__spectronctl_ask' 'profiles'
        case 'profiles add 0'; printf '%s\n' '__spectronctl_free' 'NAME'
        case 'profiles use 0'; printf '%s\n' '__spectronctl_ask' 'profiles'
        case 'profiles set 0'; printf '%s\n' '__spectronctl_ask' 'profiles'
        case 'profiles set 1'; printf '%s\n' '__spectronctl_free' 'FIELD'
        case 'profiles set 2'; printf '%s\n' '__spectronctl_free' 'VALUE|-'
        case 'profiles unset 0'; printf '%s\n' '__spectronctl_ask' 'profiles'
        case 'profiles unset 1'; printf '%s\n' '__spectronctl_free' 'FIELD'
        case 'profiles remove 0'; printf '%s\n' '__spectronctl_ask' 'profiles'
        case 'serve keys create 0'; printf '%s\n' '__spectronctl_free' 'NAME'
        case 'serve keys revoke 0'; printf '%s\n' '__spectronctl_free' 'ID'
        case 'serve exec *'; printf '%s\n' '__spectronctl_free' 'CMD'
        case 'completion 0'; printf '%s\n' '__spectronctl_offer' 'bash' 'zsh' 'fish' 'powershell'
    end
end

function __spectronctl_commands
    switch "$argv"
        case ''; printf '%s\t%s\n' 'contexts' 'Create, configure and delete contexts' 'keys' 'Mint, rotate and revoke the API keys of a context' 'ontology' 'Say what extraction looks for: entity types, their attributes, relations' 'sessions' 'Read what agents said: list, print, export and import conversations' 'lifecycle' 'Keep a context\'s memory in order: decay, expiry, checks, reindexing and its jobs' 'exec' 'Run a program with a key of its own, minted for it and deleted afterwards' 'migrations' 'See which schema the databases of the contexts have' 'api' 'Send a request of your own, with the key, retries and errors of every other command' 'profiles' 'Keep the servers you work with' 'serve' 'Run a Spectron server on SurrealDB until it is told to stop' 'completion' 'Print a completion script for a shell' 'version' 'Show the version of spectronctl, and how the server\'s stands to it' 'whoami' 'Show who a key is, and what it may do' 'doctor' 'Check everything between here and the server, and say what is wrong'
        case 'contexts'; printf '%s\t%s\n' 'list' 'List every context of the server' 'get' 'Show one context and its configuration' 'create' 'Create a context on a database of its own' 'update' 'Change a context\'s configuration; what is not named stays as it is' 'delete' 'Delete a context: its database, its keys and its registration. There is no way back' 'clone' 'Make another context like one: its configuration, ontology, and keys with fresh secrets' 'wait' 'Wait until a context is there, or is gone, and show it'
        case 'keys'; printf '%s\t%s\n' 'list' 'List the keys of a context; never a secret' 'get' 'Show one key; never its secret' 'create' 'Mint a key; its secret is shown or written once and can never be read again' 'rotate' 'Give a key a new secret: in place, or through a successor while the old key goes on for a while' 'rotations' 'See to rotations that are under way: resume them, or give them up' 'delete' 'Revoke keys at once' 'verify' 'Check that a secret works in the context: as whom, and with which grants' 'orphans' 'List keys that look as if nobody held or needed them any more, and why'
        case 'keys rotations'; printf '%s\t%s\n' 'list' 'List the rotations that this user has under way, from the journal' 'get' 'Show one rotation, from the journal' 'resume' 'Finish whatever is due: deliver secrets, delete keys whose time has come. Safe to run at any time, as from cron' 'abort' 'Give a rotation up: a successor that nobody can hold is deleted, every other key stays'
        case 'ontology'; printf '%s\t%s\n' 'get' 'Show the ontology: entity types with their attribute keys, and relation labels' 'set' 'Replace the whole ontology by a file; asks when that removes anything' 'edit' 'Change the ontology in your editor; never overwrites what others changed meanwhile' 'diff' 'Show what `set` would change: - is removed, + is added' 'delete' 'Forget the whole ontology' 'validate' 'Check a file, and name all that is wrong with it; asks no server' 'add' 'Add names to the ontology; what is there already stays as it is' 'remove' 'Remove names from the ontology; a type\'s attribute keys go with it'
        case 'sessions'; printf '%s\t%s\n' 'list' 'List the sessions of a context, the oldest first' 'get' 'Show one session: its metadata, the number of its turns, the first and the last' 'transcript' 'Print what was said in a session, or write it to a file; many sessions at once, too' 'import' 'Append a conversation from a file to a session; safe to repeat' 'context' 'Ask a session what it has to say to a query, as text for a model\'s prompt' 'create' 'Create an empty session' 'delete' 'Delete sessions with all their turns. There is no way back'
        case 'lifecycle'; printf '%s\t%s\n' 'decay' 'Expire memories that are past their time, and prune the cache; at once, in one context or many' 'expire' 'Expire memories that are past their time, by their category; or tell how many would' 'fsck' 'Look for what should not be in a context\'s memory: duplicates, contradictions and the like' 'reindex' 'Embed every chunk of a context again, and rebuild its indexes; waits until that is done' 'jobs' 'See to work that takes longer than a request: list, watch and cancel it'
        case 'lifecycle jobs'; printf '%s\t%s\n' 'list' 'List the jobs of a context, the oldest first' 'get' 'Show one job' 'watch' 'Wait until a job is over, and show it; one that failed or was cancelled ends with 6' 'cancel' 'Cancel a job: a queued one at once, a running one between two batches; safe to repeat'
        case 'migrations'; printf '%s\t%s\n' 'status' 'Show which schema the database of each context has, and how that stands to the newest'
        case 'profiles'; printf '%s\t%s\n' 'list' 'List the profiles, the built-in `local` included' 'show' 'Show every setting as it resolves here and now, and which layer won' 'add' 'Add a profile; --url, --context, --api-key-file, --timeout and --retries are kept in it' 'use' 'Make a profile the default one' 'set' 'Set one field of a profile; context_keys.CONTEXT.api_key_file keeps a context\'s own key' 'unset' 'Clear one field of a profile' 'remove' 'Forget a profile; nothing happens to its server' 'path' 'Print where the config file is, whether it exists or not'
        case 'serve'; printf '%s\t%s\n' 'worker' 'Work on the jobs of a store, without a server, until told to stop' 'keys' 'Manage management keys, while no server runs on the store' 'exec' 'Run a program against a throw-away server, which ends along with it'
        case 'serve keys'; printf '%s\t%s\n' 'list' 'List the management keys of a store; never a secret' 'create' 'Make a management key; its secret is shown or written once' 'revoke' 'Revoke a management key at once'
    end
end

function __spectronctl_options
    switch "$argv"
        case ''; printf '%s\t%s\n' '--help' 'Show this message and exit'
        case 'contexts'; printf '%s\t%s\n' '--help' 'Show this message and exit'
        case 'contexts list'; printf '%s\t%s\n' '--help' 'Show this message and exit'
        case 'contexts get'; printf '%s\t%s\n' '--help' 'Show this message and exit'
        case 'contexts create'; printf '%s\t%s\n' '--namespace' 'SurrealDB namespace to bind' '--database' 'SurrealDB database to bind' '--model-extraction' 'Model for extraction' '--model-response' 'Model for response' '--model-reflection' 'Model for reflection' '--model-reconciliation' 'Model for reconciliation' '--model-synthesis' 'Model for synthesis' '--model-elaboration-consolidation' 'Model for elaboration_consolidation' '--model-embedding' 'Model for embedding; local/hashing compares words, not what they mean' '--model' 'Model for any stage' '--provider' 'A provider\'s key, read from a variable, a file or stdin' '--token-limit' 'Tokens allowed' '--retention-days' 'Days kept' '--set' 'Any field; VALUE is JSON or text' '--config' 'JSON or TOML to start from' '--if-exists' 'What an existing one means' '--help' 'Show this message and exit'
        case 'contexts update'; printf '%s\t%s\n' '--model-extraction' 'Model for extraction' '--model-response' 'Model for response' '--model-reflection' 'Model for reflection' '--model-reconciliation' 'Model for reconciliation' '--model-synthesis' 'Model for synthesis' '--model-elaboration-consolidation' 'Model for elaboration_consolidation' '--model-embedding' 'Model for embedding; local/hashing compares words, not what they mean' '--model' 'Model for any stage' '--provider' 'A provider\'s key, read from a variable, a file or stdin' '--token-limit' 'Tokens allowed' '--retention-days' 'Days kept' '--set' 'Any field; VALUE is JSON or text' '--config' 'JSON or TOML to start from' '--unset' 'Clear a field' '--help' 'Show this message and exit'
        case 'contexts delete'; printf '%s\t%s\n' '--confirm' 'Confirm by naming the context, unasked' '--if-missing' 'What a missing one means' '--help' 'Show this message and exit'
        case 'contexts clone'; printf '%s\t%s\n' '--namespace' 'SurrealDB namespace to bind' '--database' 'SurrealDB database to bind' '--provider' 'A provider\'s key, read from a variable, a file or stdin' '--no-keys' 'Leave the keys out' '--no-ontology' 'Leave the ontology out' '--if-exists' 'What an existing DST means; skip makes what is missing there, and no more' '--dry-run' 'Show what would be made, and make nothing' '--secret-file' 'Write the secret to a new 0600 file' '--secret-env-file' 'Put the secret in a dotenv file' '--secret-command' 'Pipe the secret into a command' '--force' 'Replace an existing file or variable' '--reveal' 'Print the secret although a terminal shows it' '--help' 'Show this message and exit'
        case 'contexts wait'; printf '%s\t%s\n' '--for' 'What is to become of it' '--wait-timeout' 'Wait no longer than that, such as 10m; also for a server that is not up yet' '--help' 'Show this message and exit'
        case 'keys'; printf '%s\t%s\n' '--help' 'Show this message and exit'
        case 'keys list'; printf '%s\t%s\n' '--older-than' 'Only keys made longer ago than this, such as 90d' '--unused-for' 'Only keys that nobody has used for this long' '--expiring' 'Only keys that will expire within this time' '--principal' 'Only keys of this principal' '--match' 'Only keys named so, such as \'app-*\'' '--help' 'Show this message and exit'
        case 'keys get'; printf '%s\t%s\n' '--help' 'Show this message and exit'
        case 'keys create'; printf '%s\t%s\n' '--principal' 'What it may do' '--scope-floor' 'Bound what it can reach' '--expires-at' 'RFC 3339 time it ends' '--expires-in' 'Life, such as 90d' '--secret-file' 'Write the secret to a new 0600 file' '--secret-env-file' 'Put the secret in a dotenv file' '--secret-command' 'Pipe the secret into a command' '--force' 'Replace an existing file or variable' '--reveal' 'Print the secret although a terminal shows it' '--if-exists' 'What an existing one means' '--confirm' 'Confirm by naming the context, unasked' '--recover' 'Should the answer be lost, rotate to a secret that is known' '--help' 'Show this message and exit'
        case 'keys rotate'; printf '%s\t%s\n' '--overlap' 'Keep the old key working this long' '--drain' 'With --overlap: not deleted while used within this time.  [default: 5m]' '--leaked' 'Delete the old key first, then mint and deliver' '--secret-file' 'Write the secret to a new 0600 file' '--secret-env-file' 'Put the secret in a dotenv file' '--secret-command' 'Pipe the secret into a command' '--force' 'Replace an existing file or variable' '--reveal' 'Print the secret although a terminal shows it' '--older-than' 'Only keys made longer ago than this, such as 90d' '--unused-for' 'Only keys that nobody has used for this long' '--expiring' 'Only keys that will expire within this time' '--principal' 'Only keys of this principal' '--match' 'Only keys named so, such as \'app-*\'' '--all' 'Rotate every key of the context' '--parallel' 'Rotations at a time' '--max-failures' 'Begin no more after N failures' '--dry-run' 'Show what would happen, and send nothing' '--confirm' 'Confirm by naming the context, unasked' '--recover' 'Should the answer be lost, rotate to a secret that is known' '--wait' 'Wait until the old key is gone; interrupting loses nothing' '--help' 'Show this message and exit'
        case 'keys rotations'; printf '%s\t%s\n' '--help' 'Show this message and exit'
        case 'keys rotations list'; printf '%s\t%s\n' '--all' 'Also those that are over' '--help' 'Show this message and exit'
        case 'keys rotations get'; printf '%s\t%s\n' '--help' 'Show this message and exit'
        case 'keys rotations resume'; printf '%s\t%s\n' '--secret-file' 'Write the secret to a new 0600 file' '--secret-env-file' 'Put the secret in a dotenv file' '--secret-command' 'Pipe the secret into a command' '--force' 'Replace an existing file or variable' '--reveal' 'Print the secret although a terminal shows it' '--wait' 'Wait until the old key is gone; interrupting loses nothing' '--parallel' 'Rotations at a time' '--help' 'Show this message and exit'
        case 'keys rotations abort'; printf '%s\t%s\n' '--help' 'Show this message and exit'
        case 'keys delete'; printf '%s\t%s\n' '--confirm' 'Confirm by naming the context, unasked' '--if-missing' 'What a missing one means' '--help' 'Show this message and exit'
        case 'keys verify'; printf '%s\t%s\n' '--help' 'Show this message and exit'
        case 'keys orphans'; printf '%s\t%s\n' '--grace' 'How long a new key may go unused' '--help' 'Show this message and exit'
        case 'ontology'; printf '%s\t%s\n' '--help' 'Show this message and exit'
        case 'ontology get'; printf '%s\t%s\n' '--help' 'Show this message and exit'
        case 'ontology set'; printf '%s\t%s\n' '--confirm' 'Confirm by naming the context, unasked' '--help' 'Show this message and exit'
        case 'ontology edit'; printf '%s\t%s\n' '--confirm' 'Confirm by naming the context, unasked' '--help' 'Show this message and exit'
        case 'ontology diff'; printf '%s\t%s\n' '--exit-code' 'End with 20 when there are differences' '--help' 'Show this message and exit'
        case 'ontology delete'; printf '%s\t%s\n' '--confirm' 'Confirm by naming the context, unasked' '--help' 'Show this message and exit'
        case 'ontology validate'; printf '%s\t%s\n' '--help' 'Show this message and exit'
        case 'ontology add'; printf '%s\t%s\n' '--entity-type' 'An entity type; may be repeated' '--attribute' 'Attribute keys of a type; may be repeated' '--relation' 'A relation label; may be repeated' '--help' 'Show this message and exit'
        case 'ontology remove'; printf '%s\t%s\n' '--entity-type' 'An entity type; may be repeated' '--attribute' 'Attribute keys of a type; may be repeated' '--relation' 'A relation label; may be repeated' '--confirm' 'Confirm by naming the context, unasked' '--help' 'Show this message and exit'
        case 'sessions'; printf '%s\t%s\n' '--help' 'Show this message and exit'
        case 'sessions list'; printf '%s\t%s\n' '--since' 'Made since then: 7d ago, or 2026-05-01' '--until' 'Made until then, written likewise' '--scope' 'Only those tagged at or below this path' '--help' 'Show this message and exit'
        case 'sessions get'; printf '%s\t%s\n' '--help' 'Show this message and exit'
        case 'sessions transcript'; printf '%s\t%s\n' '--format' 'How it is written; text, unless -o or the file\'s name says otherwise' '--tail' 'Only the last N turns' '--from-seq' 'Only turns from this seq on' '--role' 'Only turns of this role; may be repeated' '--follow' 'Go on with new turns as they come, until interrupted' '--output-file' 'Write to this file' '--output-dir' 'Write a file per session in here' '--resume' 'Go on with what an interrupted run has left in the files' '--force' 'Replace files that are there already' '--all' 'Every session of the context, with --output-dir' '--parallel' 'Requests at a time' '--help' 'Show this message and exit'
        case 'sessions import'; printf '%s\t%s\n' '--session' 'Append to this one; else one is made' '--scope' 'Tag it with this path; may be repeated' '--parallel' 'Requests at a time' '--help' 'Show this message and exit'
        case 'sessions context'; printf '%s\t%s\n' '--help' 'Show this message and exit'
        case 'sessions create'; printf '%s\t%s\n' '--scope' 'Tag it with this path; may be repeated' '--metadata' 'Anything to keep with it' '--help' 'Show this message and exit'
        case 'sessions delete'; printf '%s\t%s\n' '--confirm' 'Confirm by naming the context, unasked' '--if-missing' 'What a missing one means' '--help' 'Show this message and exit'
        case 'lifecycle'; printf '%s\t%s\n' '--help' 'Show this message and exit'
        case 'lifecycle decay'; printf '%s\t%s\n' '--all-contexts' 'Every context of the server' '--parallel' 'Contexts at a time' '--help' 'Show this message and exit'
        case 'lifecycle expire'; printf '%s\t%s\n' '--all-contexts' 'Every context of the server' '--parallel' 'Contexts at a time' '--dry-run' 'Tell how many would expire; change nothing' '--help' 'Show this message and exit'
        case 'lifecycle fsck'; printf '%s\t%s\n' '--all-contexts' 'Every context of the server' '--parallel' 'Contexts at a time' '--check' 'Look for this only: one of duplicates, contradictions, injection, unscoped_content, broken_references' '--duplicate-threshold' 'Least similarity of duplicates, from 0 to 1' '--max-results' 'At most N findings of a kind' '--exit-code' 'End with 20 when there are findings' '--help' 'Show this message and exit'
        case 'lifecycle reindex'; printf '%s\t%s\n' '--all-contexts' 'Every context of the server' '--parallel' 'Contexts at a time' '--no-wait' 'Start the job, show it, and do not wait for it' '--wait-timeout' 'Wait no longer than that, such as 10m; the job goes on' '--if-running' 'What one under way means' '--help' 'Show this message and exit'
        case 'lifecycle jobs'; printf '%s\t%s\n' '--help' 'Show this message and exit'
        case 'lifecycle jobs list'; printf '%s\t%s\n' '--status' 'Only those that are so' '--kind' 'Only those, such as reindex' '--help' 'Show this message and exit'
        case 'lifecycle jobs get'; printf '%s\t%s\n' '--help' 'Show this message and exit'
        case 'lifecycle jobs watch'; printf '%s\t%s\n' '--wait-timeout' 'Wait no longer than that, such as 10m; the job goes on' '--help' 'Show this message and exit'
        case 'lifecycle jobs cancel'; printf '%s\t%s\n' '--wait' 'Wait until it is cancelled, between two batches' '--help' 'Show this message and exit'
        case 'exec'; printf '%s\t%s\n' '--key' 'Key whose rights the program gets' '--principal' 'Where there is no such key: what the program may do' '--scope-floor' 'Where there is no such key: bound what the program can reach' '--expires-in' 'Life of its key, should we be killed; the program must not run longer' '--help' 'Show this message and exit'
        case 'migrations'; printf '%s\t%s\n' '--help' 'Show this message and exit'
        case 'migrations status'; printf '%s\t%s\n' '--help' 'Show this message and exit'
        case 'api'; printf '%s\t%s\n' '--data' 'The body, as it is sent' '-d' 'The body, as it is sent' '--field' 'A field of the body, a.b inside a; of GET and DELETE a parameter. @FILE reads VALUE' '--form' 'A part of a multipart body; @FILE[;type=TYPE][;filename=NAME] sends a file, @- stdin' '--header' 'One more header' '--paginate' 'Follow a list to its end, or to --limit' '--include' 'Show the status and the headers as well' '--reveal' 'Print a new key\'s secret although a terminal shows it' '--confirm' 'Confirm by naming the context, unasked' '--help' 'Show this message and exit'
        case 'profiles'; printf '%s\t%s\n' '--help' 'Show this message and exit'
        case 'profiles list'; printf '%s\t%s\n' '--help' 'Show this message and exit'
        case 'profiles show'; printf '%s\t%s\n' '--help' 'Show this message and exit'
        case 'profiles add'; printf '%s\t%s\n' '--api-key-env' 'Variable with the key' '--api-key-command' 'Program that prints the key' '--auth-header' 'Headers for the key' '--ca-file' 'Certificates to trust as well' '--proxy' 'Proxy to go through' '--protected' 'Want names typed before anything is destroyed' '--use' 'Make it the default profile' '--help' 'Show this message and exit'
        case 'profiles use'; printf '%s\t%s\n' '--help' 'Show this message and exit'
        case 'profiles set'; printf '%s\t%s\n' '--help' 'Show this message and exit'
        case 'profiles unset'; printf '%s\t%s\n' '--help' 'Show this message and exit'
        case 'profiles remove'; printf '%s\t%s\n' '--help' 'Show this message and exit'
        case 'profiles path'; printf '%s\t%s\n' '--help' 'Show this message and exit'
        case 'serve'; printf '%s\t%s\n' '--host' 'Address to bind' '--port' 'Port; 0 is any' '--tls-cert' 'Certificate chain, PEM' '--tls-key' 'Its private key, PEM' '--insecure-bind' 'Bind beyond loopback without TLS' '--secret-file' 'Write the secret to a new 0600 file' '--secret-env-file' 'Put the secret in a dotenv file' '--secret-command' 'Pipe the secret into a command' '--force' 'Replace an existing file or variable' '--reveal' 'Print the secret although a terminal shows it' '--store' 'surrealkv://PATH, mem:// or ws://HOST; by default the store of --profile local' '--bootstrap' 'Make the first management key, if there is none' '--no-worker' 'Leave jobs to others: see \'serve worker\'' '--allow-private-providers' 'Ask providers at private addresses; a server on loopback always may' '--ready-file' 'Write the ready line here' '--log-format' 'Format of the log on stderr' '--help' 'Show this message and exit'
        case 'serve worker'; printf '%s\t%s\n' '--store' 'surrealkv://PATH, mem:// or ws://HOST; by default the store of --profile local' '--allow-private-providers' 'Ask providers at private addresses; a server on loopback always may' '--ready-file' 'Write the ready line here' '--log-format' 'Format of the log on stderr' '--help' 'Show this message and exit'
        case 'serve keys'; printf '%s\t%s\n' '--help' 'Show this message and exit'
        case 'serve keys list'; printf '%s\t%s\n' '--store' 'surrealkv://PATH, mem:// or ws://HOST; by default the store of --profile local' '--help' 'Show this message and exit'
        case 'serve keys create'; printf '%s\t%s\n' '--secret-file' 'Write the secret to a new 0600 file' '--secret-env-file' 'Put the secret in a dotenv file' '--secret-command' 'Pipe the secret into a command' '--force' 'Replace an existing file or variable' '--reveal' 'Print the secret although a terminal shows it' '--store' 'surrealkv://PATH, mem:// or ws://HOST; by default the store of --profile local' '--help' 'Show this message and exit'
        case 'serve keys revoke'; printf '%s\t%s\n' '--store' 'surrealkv://PATH, mem:// or ws://HOST; by default the store of --profile local' '--help' 'Show this message and exit'
        case 'serve exec'; printf '%s\t%s\n' '--seed' 'Contexts to begin with: JSON, TOML or YAML, by its suffix' '--log-file' 'Log all requests here; else warnings go to stderr' '--log-format' 'Format of the log on stderr' '--help' 'Show this message and exit'
        case 'completion'; printf '%s\t%s\n' '--help' 'Show this message and exit'
        case 'version'; printf '%s\t%s\n' '--server' 'Ask the server for its own' '--check-server' 'Compare with the server; end with 20 when it is older or newer' '--help' 'Show this message and exit'
        case 'whoami'; printf '%s\t%s\n' '--plane' 'Which key; by default the context\'s, if one is chosen' '--help' 'Show this message and exit'
        case 'doctor'; printf '%s\t%s\n' '--bundle' 'Write a report without secrets, for an issue' '--save-ca' 'Keep the authority\'s certificate that the server sends' '--force' 'Replace existing files' '--help' 'Show this message and exit'
    end
    printf '%s\t%s\n' '--profile' 'Profile to use; `local` needs no server' '--url' 'Server to talk to' '--api-key' 'The key itself; visible to others, see README' '--api-key-file' 'File that holds the key' '--context' 'Context that the command is about' '-c' 'Context that the command is about' '--output' 'Output format' '-o' 'Output format' '--json' 'The same as -o json' '--query' 'Pick from the answer' '--columns' 'Columns of a table' '--sort' 'Sort a table by a column' '--limit' 'Stop a list after N' '--no-header' 'Tables without a header' '--quiet' 'No notes on stderr' '-q' 'No notes on stderr' '--yes' 'Answer yes to every question' '-y' 'Answer yes to every question' '--no-input' 'Never ask' '--color' 'When to use colour' '--timeout' 'Give a call this long, retries included, such as 30s or 2m' '--retries' 'Repeat a failed read N times' '--debug' 'Log requests to stderr' '--version' 'Print the version and exit'
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
