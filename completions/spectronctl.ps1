# Completion of spectronctl for PowerShell; generated from the command tree, do not edit.

Register-ArgumentCompleter -Native -CommandName spectronctl -ScriptBlock {
    param($current, $ast, $cursor)

    # Not @{}, which would take -c and -C for the same.
    $steps = New-Object System.Collections.Hashtable
    $calls = New-Object System.Collections.Hashtable
    $commands = New-Object System.Collections.Hashtable
    $options = New-Object System.Collections.Hashtable
    $steps[' contexts'] = 'contexts'
    $steps[' context'] = 'contexts'
    $steps[' keys'] = 'keys'
    $steps[' key'] = 'keys'
    $steps[' ontology'] = 'ontology'
    $steps[' sessions'] = 'sessions'
    $steps[' session'] = 'sessions'
    $steps[' profiles'] = 'profiles'
    $steps[' profile'] = 'profiles'
    $steps[' serve'] = 'serve'
    $steps[' completion'] = 'completion'
    $steps[' version'] = 'version'
    $steps[' whoami'] = 'whoami'
    $steps['contexts list'] = 'contexts list'
    $steps['contexts ls'] = 'contexts list'
    $steps['contexts get'] = 'contexts get'
    $steps['contexts show'] = 'contexts get'
    $steps['contexts create'] = 'contexts create'
    $steps['contexts update'] = 'contexts update'
    $steps['contexts delete'] = 'contexts delete'
    $steps['contexts rm'] = 'contexts delete'
    $steps['keys list'] = 'keys list'
    $steps['keys ls'] = 'keys list'
    $steps['keys get'] = 'keys get'
    $steps['keys show'] = 'keys get'
    $steps['keys create'] = 'keys create'
    $steps['keys rotate'] = 'keys rotate'
    $steps['keys rotations'] = 'keys rotations'
    $steps['keys delete'] = 'keys delete'
    $steps['keys rm'] = 'keys delete'
    $steps['keys verify'] = 'keys verify'
    $steps['keys orphans'] = 'keys orphans'
    $steps['keys rotations list'] = 'keys rotations list'
    $steps['keys rotations ls'] = 'keys rotations list'
    $steps['keys rotations get'] = 'keys rotations get'
    $steps['keys rotations show'] = 'keys rotations get'
    $steps['keys rotations resume'] = 'keys rotations resume'
    $steps['keys rotations abort'] = 'keys rotations abort'
    $steps['ontology get'] = 'ontology get'
    $steps['ontology show'] = 'ontology get'
    $steps['ontology set'] = 'ontology set'
    $steps['ontology edit'] = 'ontology edit'
    $steps['ontology diff'] = 'ontology diff'
    $steps['ontology delete'] = 'ontology delete'
    $steps['ontology validate'] = 'ontology validate'
    $steps['ontology add'] = 'ontology add'
    $steps['ontology remove'] = 'ontology remove'
    $steps['ontology rm'] = 'ontology remove'
    $steps['sessions list'] = 'sessions list'
    $steps['sessions ls'] = 'sessions list'
    $steps['sessions get'] = 'sessions get'
    $steps['sessions show'] = 'sessions get'
    $steps['sessions transcript'] = 'sessions transcript'
    $steps['sessions import'] = 'sessions import'
    $steps['sessions context'] = 'sessions context'
    $steps['sessions create'] = 'sessions create'
    $steps['sessions delete'] = 'sessions delete'
    $steps['sessions rm'] = 'sessions delete'
    $steps['profiles list'] = 'profiles list'
    $steps['profiles ls'] = 'profiles list'
    $steps['profiles show'] = 'profiles show'
    $steps['profiles add'] = 'profiles add'
    $steps['profiles use'] = 'profiles use'
    $steps['profiles set'] = 'profiles set'
    $steps['profiles unset'] = 'profiles unset'
    $steps['profiles remove'] = 'profiles remove'
    $steps['profiles rm'] = 'profiles remove'
    $steps['profiles path'] = 'profiles path'
    $steps['serve worker'] = 'serve worker'
    $steps['serve keys'] = 'serve keys'
    $steps['serve keys list'] = 'serve keys list'
    $steps['serve keys ls'] = 'serve keys list'
    $steps['serve keys create'] = 'serve keys create'
    $steps['serve keys revoke'] = 'serve keys revoke'
    $calls['contexts create --namespace'] = 'free', 'NAME'
    $calls['contexts create --database'] = 'free', 'NAME'
    $calls['contexts delete --confirm'] = 'free', 'NAME'
    $calls['keys create --confirm'] = 'free', 'NAME'
    $calls['keys rotate --confirm'] = 'free', 'NAME'
    $calls['keys delete --confirm'] = 'free', 'NAME'
    $calls['ontology set --confirm'] = 'free', 'NAME'
    $calls['ontology edit --confirm'] = 'free', 'NAME'
    $calls['ontology delete --confirm'] = 'free', 'NAME'
    $calls['ontology add --entity-type'] = 'free', 'NAME'
    $calls['ontology remove --entity-type'] = 'free', 'NAME'
    $calls['ontology remove --confirm'] = 'free', 'NAME'
    $calls['sessions delete --confirm'] = 'free', 'NAME'
    $calls['contexts create --model-extraction'] = 'free', 'PROVIDER/MODEL'
    $calls['contexts create --model-response'] = 'free', 'PROVIDER/MODEL'
    $calls['contexts create --model-reflection'] = 'free', 'PROVIDER/MODEL'
    $calls['contexts create --model-reconciliation'] = 'free', 'PROVIDER/MODEL'
    $calls['contexts create --model-synthesis'] = 'free', 'PROVIDER/MODEL'
    $calls['contexts create --model-elaboration-consolidation'] = 'free', 'PROVIDER/MODEL'
    $calls['contexts create --model-embedding'] = 'free', 'PROVIDER/MODEL'
    $calls['contexts update --model-extraction'] = 'free', 'PROVIDER/MODEL'
    $calls['contexts update --model-response'] = 'free', 'PROVIDER/MODEL'
    $calls['contexts update --model-reflection'] = 'free', 'PROVIDER/MODEL'
    $calls['contexts update --model-reconciliation'] = 'free', 'PROVIDER/MODEL'
    $calls['contexts update --model-synthesis'] = 'free', 'PROVIDER/MODEL'
    $calls['contexts update --model-elaboration-consolidation'] = 'free', 'PROVIDER/MODEL'
    $calls['contexts update --model-embedding'] = 'free', 'PROVIDER/MODEL'
    $calls['contexts create --model'] = 'free', 'STAGE=PROVIDER/MODEL'
    $calls['contexts update --model'] = 'free', 'STAGE=PROVIDER/MODEL'
    $calls['contexts create --provider'] = 'free', 'NAME=env:VAR|file:PATH|-'
    $calls['contexts update --provider'] = 'free', 'NAME=env:VAR|file:PATH|-'
    $calls['contexts create --token-limit'] = 'free', 'N'
    $calls['contexts create --retention-days'] = 'free', 'N'
    $calls['contexts update --token-limit'] = 'free', 'N'
    $calls['contexts update --retention-days'] = 'free', 'N'
    $calls['keys rotate --parallel'] = 'free', 'N'
    $calls['keys rotate --max-failures'] = 'free', 'N'
    $calls['keys rotations resume --parallel'] = 'free', 'N'
    $calls['sessions transcript --tail'] = 'free', 'N'
    $calls['sessions transcript --from-seq'] = 'free', 'N'
    $calls['sessions transcript --parallel'] = 'free', 'N'
    $calls['sessions import --parallel'] = 'free', 'N'
    $calls['* --limit'] = 'free', 'N'
    $calls['* --retries'] = 'free', 'N'
    $calls['contexts create --set'] = 'free', 'A.B=VALUE'
    $calls['contexts update --set'] = 'free', 'A.B=VALUE'
    $calls['contexts create --config'] = 'files'
    $calls['contexts update --config'] = 'files'
    $calls['keys create --secret-file'] = 'files'
    $calls['keys create --secret-env-file'] = 'files'
    $calls['keys rotate --secret-file'] = 'files'
    $calls['keys rotate --secret-env-file'] = 'files'
    $calls['keys rotations resume --secret-file'] = 'files'
    $calls['keys rotations resume --secret-env-file'] = 'files'
    $calls['sessions list --scope'] = 'files'
    $calls['sessions transcript --output-file'] = 'files'
    $calls['sessions transcript --output-dir'] = 'files'
    $calls['sessions import --scope'] = 'files'
    $calls['sessions create --scope'] = 'files'
    $calls['profiles add --ca-file'] = 'files'
    $calls['serve --tls-cert'] = 'files'
    $calls['serve --tls-key'] = 'files'
    $calls['serve --secret-file'] = 'files'
    $calls['serve --secret-env-file'] = 'files'
    $calls['serve --ready-file'] = 'files'
    $calls['serve worker --ready-file'] = 'files'
    $calls['serve keys create --secret-file'] = 'files'
    $calls['serve keys create --secret-env-file'] = 'files'
    $calls['* --api-key-file'] = 'files'
    $calls['contexts create --if-exists'] = 'offer', 'fail', 'skip', 'update'
    $calls['contexts update --unset'] = 'free', 'A.B'
    $calls['contexts delete --if-missing'] = 'offer', 'fail', 'ok'
    $calls['keys delete --if-missing'] = 'offer', 'fail', 'ok'
    $calls['sessions delete --if-missing'] = 'offer', 'fail', 'ok'
    $calls['keys list --older-than'] = 'free', 'DURATION'
    $calls['keys list --unused-for'] = 'free', 'DURATION'
    $calls['keys list --expiring'] = 'free', 'DURATION'
    $calls['keys create --expires-in'] = 'free', 'DURATION'
    $calls['keys rotate --overlap'] = 'free', 'DURATION'
    $calls['keys rotate --drain'] = 'free', 'DURATION'
    $calls['keys rotate --older-than'] = 'free', 'DURATION'
    $calls['keys rotate --unused-for'] = 'free', 'DURATION'
    $calls['keys rotate --expiring'] = 'free', 'DURATION'
    $calls['keys orphans --grace'] = 'free', 'DURATION'
    $calls['* --timeout'] = 'free', 'DURATION'
    $calls['keys list --principal'] = 'offer', 'agent', 'supervisor', 'management'
    $calls['keys rotate --principal'] = 'offer', 'agent', 'supervisor', 'management'
    $calls['keys list --match'] = 'free', 'GLOB'
    $calls['keys rotate --match'] = 'free', 'GLOB'
    $calls['keys create --principal'] = 'offer', 'agent', 'supervisor'
    $calls['keys create --scope-floor'] = 'free', 'A=B,C=D|JSON'
    $calls['keys create --expires-at'] = 'free', 'TIME'
    $calls['sessions list --since'] = 'free', 'TIME'
    $calls['sessions list --until'] = 'free', 'TIME'
    $calls['keys create --secret-command'] = 'free', 'CMD'
    $calls['keys rotate --secret-command'] = 'free', 'CMD'
    $calls['keys rotations resume --secret-command'] = 'free', 'CMD'
    $calls['profiles add --api-key-command'] = 'free', 'CMD'
    $calls['serve --secret-command'] = 'free', 'CMD'
    $calls['serve keys create --secret-command'] = 'free', 'CMD'
    $calls['keys create --if-exists'] = 'offer', 'fail', 'skip', 'rotate'
    $calls['ontology add --attribute'] = 'free', 'TYPE=KEY,KEY'
    $calls['ontology remove --attribute'] = 'free', 'TYPE=KEY,KEY'
    $calls['ontology add --relation'] = 'free', 'LABEL'
    $calls['ontology remove --relation'] = 'free', 'LABEL'
    $calls['sessions transcript --format'] = 'offer', 'text', 'markdown', 'html', 'json', 'jsonl', 'csv'
    $calls['sessions transcript --role'] = 'offer', 'user', 'assistant', 'system', 'tool'
    $calls['sessions import --session'] = 'free', 'SESSION'
    $calls['sessions create --metadata'] = 'free', 'JSON'
    $calls['profiles add --api-key-env'] = 'free', 'VAR'
    $calls['profiles add --auth-header'] = 'offer', 'both', 'bearer', 'api-key'
    $calls['profiles add --proxy'] = 'free', 'URL'
    $calls['serve --store'] = 'free', 'URL'
    $calls['serve worker --store'] = 'free', 'URL'
    $calls['serve keys list --store'] = 'free', 'URL'
    $calls['serve keys create --store'] = 'free', 'URL'
    $calls['serve keys revoke --store'] = 'free', 'URL'
    $calls['* --url'] = 'free', 'URL'
    $calls['serve --host'] = 'free', 'HOST'
    $calls['serve --port'] = 'free', 'PORT'
    $calls['serve --log-format'] = 'offer', 'text', 'json'
    $calls['serve worker --log-format'] = 'offer', 'text', 'json'
    $calls['* --profile'] = 'ask', 'profiles'
    $calls['* --api-key'] = 'free', 'KEY'
    $calls['* --context'] = 'ask', 'contexts'
    $calls['* -c'] = 'ask', 'contexts'
    $calls['* --output'] = 'offer', 'table', 'wide', 'json', 'jsonl', 'yaml', 'csv', 'name'
    $calls['* -o'] = 'offer', 'table', 'wide', 'json', 'jsonl', 'yaml', 'csv', 'name'
    $calls['* --query'] = 'free', 'JMESPATH'
    $calls['* --columns'] = 'free', 'A,B'
    $calls['* --sort'] = 'free', '[-]COLUMN'
    $calls['* --color'] = 'offer', 'auto', 'always', 'never'
    $calls['contexts get 0'] = 'ask', 'contexts'
    $calls['contexts create 0'] = 'free', 'ID'
    $calls['contexts update 0'] = 'ask', 'contexts'
    $calls['contexts delete 0'] = 'ask', 'contexts'
    $calls['keys get 0'] = 'free', 'KEY'
    $calls['keys create 0'] = 'free', 'NAME'
    $calls['keys rotate 0'] = 'free', '[KEY]'
    $calls['keys rotations get 0'] = 'free', 'ROTATION'
    $calls['keys rotations resume *'] = 'free', '[ROTATION]...'
    $calls['keys rotations abort 0'] = 'free', 'ROTATION'
    $calls['keys delete *'] = 'free', 'KEY'
    $calls['keys verify 0'] = 'free', 'SOURCE'
    $calls['ontology set 0'] = 'files'
    $calls['ontology diff 0'] = 'files'
    $calls['ontology validate 0'] = 'files'
    $calls['sessions get 0'] = 'free', 'SESSION'
    $calls['sessions transcript *'] = 'free', 'SESSION'
    $calls['sessions import 0'] = 'files'
    $calls['sessions context 0'] = 'free', 'SESSION'
    $calls['sessions context 1'] = 'free', 'QUERY'
    $calls['sessions delete *'] = 'free', 'SESSION'
    $calls['profiles show 0'] = 'ask', 'profiles'
    $calls['profiles add 0'] = 'free', 'NAME'
    $calls['profiles use 0'] = 'ask', 'profiles'
    $calls['profiles set 0'] = 'ask', 'profiles'
    $calls['profiles set 1'] = 'free', 'FIELD'
    $calls['profiles set 2'] = 'free', 'VALUE|-'
    $calls['profiles unset 0'] = 'ask', 'profiles'
    $calls['profiles unset 1'] = 'free', 'FIELD'
    $calls['profiles remove 0'] = 'ask', 'profiles'
    $calls['serve keys create 0'] = 'free', 'NAME'
    $calls['serve keys revoke 0'] = 'free', 'ID'
    $calls['completion 0'] = 'offer', 'bash', 'zsh', 'fish', 'powershell'
    $commands[''] = 'contexts', 'Create, configure and delete contexts', 'keys', 'Mint, rotate and revoke the API keys of a context', 'ontology', 'Say what extraction looks for: entity types, their attributes, relations', 'sessions', 'Read what agents said: list, print, export and import conversations', 'profiles', 'Keep the servers you work with', 'serve', 'Run a Spectron server on SurrealDB until it is told to stop', 'completion', 'Print a completion script for a shell', 'version', 'Show the version of spectronctl, and of the server', 'whoami', 'Show who a context''s key is, and what it may do'
    $commands['contexts'] = 'list', 'List every context of the server', 'get', 'Show one context and its configuration', 'create', 'Create a context on a database of its own', 'update', 'Change a context''s configuration; what is not named stays as it is', 'delete', 'Delete a context: its database, its keys and its registration. There is no way back'
    $commands['keys'] = 'list', 'List the keys of a context; never a secret', 'get', 'Show one key; never its secret', 'create', 'Mint a key; its secret is shown or written once and can never be read again', 'rotate', 'Give a key a new secret: in place, or through a successor while the old key goes on for a while', 'rotations', 'See to rotations that are under way: resume them, or give them up', 'delete', 'Revoke keys at once', 'verify', 'Check that a secret works in the context: as whom, and with which grants', 'orphans', 'List keys that look as if nobody held or needed them any more, and why'
    $commands['keys rotations'] = 'list', 'List the rotations that this user has under way, from the journal', 'get', 'Show one rotation, from the journal', 'resume', 'Finish whatever is due: deliver secrets, delete keys whose time has come. Safe to run at any time, as from cron', 'abort', 'Give a rotation up: a successor that nobody can hold is deleted, every other key stays'
    $commands['ontology'] = 'get', 'Show the ontology: entity types with their attribute keys, and relation labels', 'set', 'Replace the whole ontology by a file; asks when that removes anything', 'edit', 'Change the ontology in your editor; never overwrites what others changed meanwhile', 'diff', 'Show what `set` would change: - is removed, + is added', 'delete', 'Forget the whole ontology', 'validate', 'Check a file, and name all that is wrong with it; asks no server', 'add', 'Add names to the ontology; what is there already stays as it is', 'remove', 'Remove names from the ontology; a type''s attribute keys go with it'
    $commands['sessions'] = 'list', 'List the sessions of a context, the oldest first', 'get', 'Show one session: its metadata, the number of its turns, the first and the last', 'transcript', 'Print what was said in a session, or write it to a file; many sessions at once, too', 'import', 'Append a conversation from a file to a session; safe to repeat', 'context', 'Ask a session what it has to say to a query, as text for a model''s prompt', 'create', 'Create an empty session', 'delete', 'Delete sessions with all their turns. There is no way back'
    $commands['profiles'] = 'list', 'List the profiles, the built-in `local` included', 'show', 'Show every setting as it resolves here and now, and which layer won', 'add', 'Add a profile; --url, --context, --api-key-file, --timeout and --retries are kept in it', 'use', 'Make a profile the default one', 'set', 'Set one field of a profile; context_keys.CONTEXT.api_key_file keeps a context''s own key', 'unset', 'Clear one field of a profile', 'remove', 'Forget a profile; nothing happens to its server', 'path', 'Print where the config file is, whether it exists or not'
    $commands['serve'] = 'worker', 'Work on the jobs of a store, without a server, until told to stop', 'keys', 'Manage management keys, while no server runs on the store'
    $commands['serve keys'] = 'list', 'List the management keys of a store; never a secret', 'create', 'Make a management key; its secret is shown or written once', 'revoke', 'Revoke a management key at once'
    $options[''] = '--help', 'Show this message and exit'
    $options['contexts'] = '--help', 'Show this message and exit'
    $options['contexts list'] = '--help', 'Show this message and exit'
    $options['contexts get'] = '--help', 'Show this message and exit'
    $options['contexts create'] = '--namespace', 'SurrealDB namespace to bind', '--database', 'SurrealDB database to bind', '--model-extraction', 'Model for extraction', '--model-response', 'Model for response', '--model-reflection', 'Model for reflection', '--model-reconciliation', 'Model for reconciliation', '--model-synthesis', 'Model for synthesis', '--model-elaboration-consolidation', 'Model for elaboration_consolidation', '--model-embedding', 'Model for embedding; local/hashing compares words, not what they mean', '--model', 'Model for any stage', '--provider', 'A provider''s key, read from a variable, a file or stdin', '--token-limit', 'Tokens allowed', '--retention-days', 'Days kept', '--set', 'Any field; VALUE is JSON or text', '--config', 'JSON or TOML to start from', '--if-exists', 'What an existing one means', '--help', 'Show this message and exit'
    $options['contexts update'] = '--model-extraction', 'Model for extraction', '--model-response', 'Model for response', '--model-reflection', 'Model for reflection', '--model-reconciliation', 'Model for reconciliation', '--model-synthesis', 'Model for synthesis', '--model-elaboration-consolidation', 'Model for elaboration_consolidation', '--model-embedding', 'Model for embedding; local/hashing compares words, not what they mean', '--model', 'Model for any stage', '--provider', 'A provider''s key, read from a variable, a file or stdin', '--token-limit', 'Tokens allowed', '--retention-days', 'Days kept', '--set', 'Any field; VALUE is JSON or text', '--config', 'JSON or TOML to start from', '--unset', 'Clear a field', '--help', 'Show this message and exit'
    $options['contexts delete'] = '--confirm', 'Confirm by naming the context, unasked', '--if-missing', 'What a missing one means', '--help', 'Show this message and exit'
    $options['keys'] = '--help', 'Show this message and exit'
    $options['keys list'] = '--older-than', 'Only keys made longer ago than this, such as 90d', '--unused-for', 'Only keys that nobody has used for this long', '--expiring', 'Only keys that will expire within this time', '--principal', 'Only keys of this principal', '--match', 'Only keys named so, such as ''app-*''', '--help', 'Show this message and exit'
    $options['keys get'] = '--help', 'Show this message and exit'
    $options['keys create'] = '--principal', 'What it may do', '--scope-floor', 'Bound what it can reach', '--expires-at', 'RFC 3339 time it ends', '--expires-in', 'Life, such as 90d', '--secret-file', 'Write the secret to a new 0600 file', '--secret-env-file', 'Put the secret in a dotenv file', '--secret-command', 'Pipe the secret into a command', '--force', 'Replace an existing file or variable', '--reveal', 'Print the secret although a terminal shows it', '--if-exists', 'What an existing one means', '--confirm', 'Confirm by naming the context, unasked', '--recover', 'Should the answer be lost, rotate to a secret that is known', '--help', 'Show this message and exit'
    $options['keys rotate'] = '--overlap', 'Keep the old key working this long', '--drain', 'With --overlap: not deleted while used within this time.  [default: 5m]', '--leaked', 'Delete the old key first, then mint and deliver', '--secret-file', 'Write the secret to a new 0600 file', '--secret-env-file', 'Put the secret in a dotenv file', '--secret-command', 'Pipe the secret into a command', '--force', 'Replace an existing file or variable', '--reveal', 'Print the secret although a terminal shows it', '--older-than', 'Only keys made longer ago than this, such as 90d', '--unused-for', 'Only keys that nobody has used for this long', '--expiring', 'Only keys that will expire within this time', '--principal', 'Only keys of this principal', '--match', 'Only keys named so, such as ''app-*''', '--all', 'Rotate every key of the context', '--parallel', 'Rotations at a time', '--max-failures', 'Begin no more after N failures', '--dry-run', 'Show what would happen, and send nothing', '--confirm', 'Confirm by naming the context, unasked', '--recover', 'Should the answer be lost, rotate to a secret that is known', '--wait', 'Wait until the old key is gone; interrupting loses nothing', '--help', 'Show this message and exit'
    $options['keys rotations'] = '--help', 'Show this message and exit'
    $options['keys rotations list'] = '--all', 'Also those that are over', '--help', 'Show this message and exit'
    $options['keys rotations get'] = '--help', 'Show this message and exit'
    $options['keys rotations resume'] = '--secret-file', 'Write the secret to a new 0600 file', '--secret-env-file', 'Put the secret in a dotenv file', '--secret-command', 'Pipe the secret into a command', '--force', 'Replace an existing file or variable', '--reveal', 'Print the secret although a terminal shows it', '--wait', 'Wait until the old key is gone; interrupting loses nothing', '--parallel', 'Rotations at a time', '--help', 'Show this message and exit'
    $options['keys rotations abort'] = '--help', 'Show this message and exit'
    $options['keys delete'] = '--confirm', 'Confirm by naming the context, unasked', '--if-missing', 'What a missing one means', '--help', 'Show this message and exit'
    $options['keys verify'] = '--help', 'Show this message and exit'
    $options['keys orphans'] = '--grace', 'How long a new key may go unused', '--help', 'Show this message and exit'
    $options['ontology'] = '--help', 'Show this message and exit'
    $options['ontology get'] = '--help', 'Show this message and exit'
    $options['ontology set'] = '--confirm', 'Confirm by naming the context, unasked', '--help', 'Show this message and exit'
    $options['ontology edit'] = '--confirm', 'Confirm by naming the context, unasked', '--help', 'Show this message and exit'
    $options['ontology diff'] = '--exit-code', 'End with 20 when there are differences', '--help', 'Show this message and exit'
    $options['ontology delete'] = '--confirm', 'Confirm by naming the context, unasked', '--help', 'Show this message and exit'
    $options['ontology validate'] = '--help', 'Show this message and exit'
    $options['ontology add'] = '--entity-type', 'An entity type; may be repeated', '--attribute', 'Attribute keys of a type; may be repeated', '--relation', 'A relation label; may be repeated', '--help', 'Show this message and exit'
    $options['ontology remove'] = '--entity-type', 'An entity type; may be repeated', '--attribute', 'Attribute keys of a type; may be repeated', '--relation', 'A relation label; may be repeated', '--confirm', 'Confirm by naming the context, unasked', '--help', 'Show this message and exit'
    $options['sessions'] = '--help', 'Show this message and exit'
    $options['sessions list'] = '--since', 'Made since then: 7d ago, or 2026-05-01', '--until', 'Made until then, written likewise', '--scope', 'Only those tagged at or below this path', '--help', 'Show this message and exit'
    $options['sessions get'] = '--help', 'Show this message and exit'
    $options['sessions transcript'] = '--format', 'How it is written; text, unless -o or the file''s name says otherwise', '--tail', 'Only the last N turns', '--from-seq', 'Only turns from this seq on', '--role', 'Only turns of this role; may be repeated', '--follow', 'Go on with new turns as they come, until interrupted', '--output-file', 'Write to this file', '--output-dir', 'Write a file per session in here', '--resume', 'Go on with what an interrupted run has left in the files', '--force', 'Replace files that are there already', '--all', 'Every session of the context, with --output-dir', '--parallel', 'Requests at a time', '--help', 'Show this message and exit'
    $options['sessions import'] = '--session', 'Append to this one; else one is made', '--scope', 'Tag it with this path; may be repeated', '--parallel', 'Requests at a time', '--help', 'Show this message and exit'
    $options['sessions context'] = '--help', 'Show this message and exit'
    $options['sessions create'] = '--scope', 'Tag it with this path; may be repeated', '--metadata', 'Anything to keep with it', '--help', 'Show this message and exit'
    $options['sessions delete'] = '--confirm', 'Confirm by naming the context, unasked', '--if-missing', 'What a missing one means', '--help', 'Show this message and exit'
    $options['profiles'] = '--help', 'Show this message and exit'
    $options['profiles list'] = '--help', 'Show this message and exit'
    $options['profiles show'] = '--help', 'Show this message and exit'
    $options['profiles add'] = '--api-key-env', 'Variable with the key', '--api-key-command', 'Program that prints the key', '--auth-header', 'Headers for the key', '--ca-file', 'Certificates to trust as well', '--proxy', 'Proxy to go through', '--protected', 'Want names typed before anything is destroyed', '--use', 'Make it the default profile', '--help', 'Show this message and exit'
    $options['profiles use'] = '--help', 'Show this message and exit'
    $options['profiles set'] = '--help', 'Show this message and exit'
    $options['profiles unset'] = '--help', 'Show this message and exit'
    $options['profiles remove'] = '--help', 'Show this message and exit'
    $options['profiles path'] = '--help', 'Show this message and exit'
    $options['serve'] = '--host', 'Address to bind', '--port', 'Port; 0 is any', '--tls-cert', 'Certificate chain, PEM', '--tls-key', 'Its private key, PEM', '--insecure-bind', 'Bind beyond loopback without TLS', '--secret-file', 'Write the secret to a new 0600 file', '--secret-env-file', 'Put the secret in a dotenv file', '--secret-command', 'Pipe the secret into a command', '--force', 'Replace an existing file or variable', '--reveal', 'Print the secret although a terminal shows it', '--store', 'surrealkv://PATH, mem:// or ws://HOST; by default the store of --profile local', '--bootstrap', 'Make the first management key, if there is none', '--no-worker', 'Leave jobs to others: see ''serve worker''', '--ready-file', 'Write the ready line here', '--log-format', 'Format of the log on stderr', '--help', 'Show this message and exit'
    $options['serve worker'] = '--store', 'surrealkv://PATH, mem:// or ws://HOST; by default the store of --profile local', '--ready-file', 'Write the ready line here', '--log-format', 'Format of the log on stderr', '--help', 'Show this message and exit'
    $options['serve keys'] = '--help', 'Show this message and exit'
    $options['serve keys list'] = '--store', 'surrealkv://PATH, mem:// or ws://HOST; by default the store of --profile local', '--help', 'Show this message and exit'
    $options['serve keys create'] = '--secret-file', 'Write the secret to a new 0600 file', '--secret-env-file', 'Put the secret in a dotenv file', '--secret-command', 'Pipe the secret into a command', '--force', 'Replace an existing file or variable', '--reveal', 'Print the secret although a terminal shows it', '--store', 'surrealkv://PATH, mem:// or ws://HOST; by default the store of --profile local', '--help', 'Show this message and exit'
    $options['serve keys revoke'] = '--store', 'surrealkv://PATH, mem:// or ws://HOST; by default the store of --profile local', '--help', 'Show this message and exit'
    $options['completion'] = '--help', 'Show this message and exit'
    $options['version'] = '--server', 'Ask the server for its own', '--help', 'Show this message and exit'
    $options['whoami'] = '--help', 'Show this message and exit'
    $options['*'] = '--profile', 'Profile to use; `local` needs no server', '--url', 'Server to talk to', '--api-key', 'The key itself; visible to others, see README', '--api-key-file', 'File that holds the key', '--context', 'Context that the command is about', '-c', 'Context that the command is about', '--output', 'Output format', '-o', 'Output format', '--json', 'The same as -o json', '--query', 'Pick from the answer', '--columns', 'Columns of a table', '--sort', 'Sort a table by a column', '--limit', 'Stop a list after N', '--no-header', 'Tables without a header', '--quiet', 'No notes on stderr', '-q', 'No notes on stderr', '--yes', 'Answer yes to every question', '-y', 'Answer yes to every question', '--no-input', 'Never ask', '--color', 'When to use colour', '--timeout', 'Give a call this long, retries included, such as 30s or 2m', '--retries', 'Repeat a failed read N times', '--debug', 'Log requests to stderr', '--version', 'Print the version and exit'

    function Find-Call($path, $word) {
        if ($calls.ContainsKey("$path $word")) { $calls["$path $word"] } else { $calls["* $word"] }
    }

    function Write-Words($words, $prefix, $start) {
        # Words and their descriptions take turns.
        for ($i = 0; $i -lt $words.Count; $i += 2) {
            if ($words[$i].StartsWith($start, [StringComparison]::Ordinal)) {
                [System.Management.Automation.CompletionResult]::new(
                    $prefix + $words[$i], $words[$i], 'ParameterValue', $words[$i + 1])
            }
        }
    }

    function Write-Call($call, $prefix, $start) {
        switch (@($call)[0]) {
            'offer' {
                Write-Words @($call | Select-Object -Skip 1 | ForEach-Object { $_; $_ }) $prefix $start
            }
            'ask' {
                Write-Words @(spectronctl __complete $call[1] 2>$null | ForEach-Object { $_; $_ }) $prefix $start
            }
            'files' {
                [System.Management.Automation.CompletionCompleters]::CompleteFilename($start) | ForEach-Object {
                    [System.Management.Automation.CompletionResult]::new(
                        $prefix + $_.CompletionText, $_.ListItemText, 'ProviderItem', $_.ToolTip)
                }
            }
        }
    }

    $at = ''
    $count = 0
    $option = $null
    $rest = $false
    $words = @($ast.CommandElements | Select-Object -Skip 1 |
        Where-Object { $_.Extent.EndOffset -lt $cursor } | ForEach-Object { $_.Extent.Text.Trim('"', "'") })
    foreach ($word in $words) {
        if ($option) {
            $option = $null
        } elseif (-not $rest -and $word -ceq '--') {
            $rest = $true
        } elseif (-not $rest -and $word.Length -gt 1 -and $word.StartsWith('-')) {
            $option = Find-Call $at $word
        } elseif ($count -eq 0 -and $steps.ContainsKey("$at $word")) {
            $at = $steps["$at $word"]
        } else {
            $count++
        }
    }

    $name, $value = $current -split '=', 2
    $given = if (-not $rest -and $current -clike '--*=*') { Find-Call $at $name }
    $found = @(
        if ($option) {
            Write-Call $option '' $current
        } elseif ($given) {
            Write-Call $given "$name=" $value
        } elseif (-not $rest -and $current.StartsWith('-')) {
            Write-Words $options[$at] '' $current
            Write-Words $options['*'] '' $current
        } else {
            if ($count -eq 0 -and $commands.ContainsKey($at)) { Write-Words $commands[$at] '' $current }
            $argument = if ($calls.ContainsKey("$at $count")) { $calls["$at $count"] } else { $calls["$at *"] }
            if ($argument) { Write-Call $argument '' $current }
        }
    )
    # An empty answer would make PowerShell offer files.
    if ($found.Count) { $found } else { '' }
}
