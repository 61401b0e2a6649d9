# Completion of spectronctl for bash; generated from the command tree, do not edit.

_spectronctl_step() {
    case "$at $1" in
        ' contexts'|' context') at=contexts ;;
        ' keys'|' key') at=keys ;;
        ' principals'|' principal') at=principals ;;
        ' management-keys'|' management-key') at=management-keys ;;
        ' ontology') at=ontology ;;
        ' sessions'|' session') at=sessions ;;
        ' scopes'|' scope') at=scopes ;;
        ' lifecycle') at=lifecycle ;;
        ' traces'|' trace') at=traces ;;
        ' audit') at=audit ;;
        ' exec') at=exec ;;
        ' migrations'|' migration') at=migrations ;;
        ' api') at=api ;;
        ' profiles'|' profile') at=profiles ;;
        ' serve') at=serve ;;
        ' completion') at=completion ;;
        ' options') at=options ;;
        ' version') at=version ;;
        ' whoami') at=whoami ;;
        ' doctor'|' status') at=doctor ;;
        'contexts list'|'contexts ls') at='contexts list' ;;
        'contexts get'|'contexts show') at='contexts get' ;;
        'contexts create') at='contexts create' ;;
        'contexts update') at='contexts update' ;;
        'contexts delete'|'contexts rm') at='contexts delete' ;;
        'contexts clone') at='contexts clone' ;;
        'contexts wait') at='contexts wait' ;;
        'keys list'|'keys ls') at='keys list' ;;
        'keys get'|'keys show') at='keys get' ;;
        'keys create') at='keys create' ;;
        'keys rotate') at='keys rotate' ;;
        'keys rotations'|'keys rotation') at='keys rotations' ;;
        'keys delete'|'keys rm') at='keys delete' ;;
        'keys verify') at='keys verify' ;;
        'keys orphans') at='keys orphans' ;;
        'keys rotations list'|'keys rotations ls') at='keys rotations list' ;;
        'keys rotations get'|'keys rotations show') at='keys rotations get' ;;
        'keys rotations resume') at='keys rotations resume' ;;
        'keys rotations abort') at='keys rotations abort' ;;
        'principals list'|'principals ls') at='principals list' ;;
        'principals get'|'principals show') at='principals get' ;;
        'principals create') at='principals create' ;;
        'principals update') at='principals update' ;;
        'principals delete'|'principals rm') at='principals delete' ;;
        'principals grant') at='principals grant' ;;
        'principals revoke') at='principals revoke' ;;
        'principals effective') at='principals effective' ;;
        'principals whocan') at='principals whocan' ;;
        'management-keys list'|'management-keys ls') at='management-keys list' ;;
        'management-keys create') at='management-keys create' ;;
        'management-keys rotate') at='management-keys rotate' ;;
        'management-keys revoke'|'management-keys rm') at='management-keys revoke' ;;
        'ontology get'|'ontology show') at='ontology get' ;;
        'ontology set') at='ontology set' ;;
        'ontology edit') at='ontology edit' ;;
        'ontology diff') at='ontology diff' ;;
        'ontology delete') at='ontology delete' ;;
        'ontology validate') at='ontology validate' ;;
        'ontology add') at='ontology add' ;;
        'ontology remove'|'ontology rm') at='ontology remove' ;;
        'sessions list'|'sessions ls') at='sessions list' ;;
        'sessions get'|'sessions show') at='sessions get' ;;
        'sessions transcript') at='sessions transcript' ;;
        'sessions import') at='sessions import' ;;
        'sessions context') at='sessions context' ;;
        'sessions create') at='sessions create' ;;
        'sessions delete'|'sessions rm') at='sessions delete' ;;
        'scopes list'|'scopes ls') at='scopes list' ;;
        'scopes create') at='scopes create' ;;
        'scopes delete'|'scopes rm') at='scopes delete' ;;
        'scopes forget') at='scopes forget' ;;
        'lifecycle decay') at='lifecycle decay' ;;
        'lifecycle expire') at='lifecycle expire' ;;
        'lifecycle fsck') at='lifecycle fsck' ;;
        'lifecycle reindex') at='lifecycle reindex' ;;
        'lifecycle jobs'|'lifecycle job') at='lifecycle jobs' ;;
        'lifecycle jobs list'|'lifecycle jobs ls') at='lifecycle jobs list' ;;
        'lifecycle jobs get'|'lifecycle jobs show') at='lifecycle jobs get' ;;
        'lifecycle jobs watch') at='lifecycle jobs watch' ;;
        'lifecycle jobs cancel') at='lifecycle jobs cancel' ;;
        'traces list'|'traces ls') at='traces list' ;;
        'traces get'|'traces show') at='traces get' ;;
        'traces stats') at='traces stats' ;;
        'audit list'|'audit ls') at='audit list' ;;
        'audit tail') at='audit tail' ;;
        'migrations status') at='migrations status' ;;
        'profiles list'|'profiles ls') at='profiles list' ;;
        'profiles get') at='profiles get' ;;
        'profiles current') at='profiles current' ;;
        'profiles show') at='profiles show' ;;
        'profiles add') at='profiles add' ;;
        'profiles use') at='profiles use' ;;
        'profiles set') at='profiles set' ;;
        'profiles unset') at='profiles unset' ;;
        'profiles rename') at='profiles rename' ;;
        'profiles remove'|'profiles rm') at='profiles remove' ;;
        'profiles path') at='profiles path' ;;
        'serve worker') at='serve worker' ;;
        'serve keys'|'serve key') at='serve keys' ;;
        'serve secrets'|'serve secret') at='serve secrets' ;;
        'serve exec') at='serve exec' ;;
        'serve keys list'|'serve keys ls') at='serve keys list' ;;
        'serve keys create') at='serve keys create' ;;
        'serve keys revoke'|'serve keys rm') at='serve keys revoke' ;;
        'serve secrets rotate') at='serve secrets rotate' ;;
        'serve secrets forget') at='serve secrets forget' ;;
        *) return 1 ;;
    esac
}

_spectronctl_value() {
    case "$at $1" in
        'contexts list --columns') fill=(_spectronctl_list id namespace database token_limit created_at retention_days models providers labels) ;;
        'contexts list --sort') fill=(_spectronctl_offer id namespace database token_limit created_at retention_days models providers labels) ;;
        'contexts get --columns') fill=(_spectronctl_list id namespace database token_limit created_at retention_days models providers labels) ;;
        'contexts get --sort') fill=(_spectronctl_offer id namespace database token_limit created_at retention_days models providers labels) ;;
        'contexts create --columns') fill=(_spectronctl_list id namespace database token_limit created_at retention_days models providers labels) ;;
        'contexts create --sort') fill=(_spectronctl_offer id namespace database token_limit created_at retention_days models providers labels) ;;
        'contexts update --columns') fill=(_spectronctl_list id namespace database token_limit created_at retention_days models providers labels) ;;
        'contexts update --sort') fill=(_spectronctl_offer id namespace database token_limit created_at retention_days models providers labels) ;;
        'contexts delete --columns') fill=(_spectronctl_list id namespace database token_limit created_at retention_days models providers labels) ;;
        'contexts delete --sort') fill=(_spectronctl_offer id namespace database token_limit created_at retention_days models providers labels) ;;
        'contexts clone --columns') fill=(_spectronctl_list part name outcome id scope_floor places principal expires_at) ;;
        'contexts clone --sort') fill=(_spectronctl_offer part name outcome id scope_floor places principal expires_at) ;;
        'contexts wait --columns') fill=(_spectronctl_list id namespace database token_limit created_at retention_days models providers labels) ;;
        'contexts wait --sort') fill=(_spectronctl_offer id namespace database token_limit created_at retention_days models providers labels) ;;
        'keys list --columns') fill=(_spectronctl_list name id status last_used_at created_at logical principal principal_id expires_at scope_floor) ;;
        'keys list --sort') fill=(_spectronctl_offer name id status last_used_at created_at logical principal principal_id expires_at scope_floor) ;;
        'keys get --columns') fill=(_spectronctl_list name id status last_used_at created_at logical principal principal_id expires_at scope_floor) ;;
        'keys get --sort') fill=(_spectronctl_offer name id status last_used_at created_at logical principal principal_id expires_at scope_floor) ;;
        'keys create --columns') fill=(_spectronctl_list name id status last_used_at created_at logical principal principal_id expires_at scope_floor) ;;
        'keys create --sort') fill=(_spectronctl_offer name id status last_used_at created_at logical principal principal_id expires_at scope_floor) ;;
        'keys rotate --columns') fill=(_spectronctl_list name method successor old_key_until places error id status rotation last_used_at created_at logical principal principal_id expires_at scope_floor) ;;
        'keys rotate --sort') fill=(_spectronctl_offer name method successor old_key_until places error id status rotation last_used_at created_at logical principal principal_id expires_at scope_floor) ;;
        'keys rotations list --columns') fill=(_spectronctl_list id name step due_at context error method url key successor places created_at updated_at) ;;
        'keys rotations list --sort') fill=(_spectronctl_offer id name step due_at context error method url key successor places created_at updated_at) ;;
        'keys rotations get --columns') fill=(_spectronctl_list id name step due_at context error method url key successor places created_at updated_at) ;;
        'keys rotations get --sort') fill=(_spectronctl_offer id name step due_at context error method url key successor places created_at updated_at) ;;
        'keys rotations resume --columns') fill=(_spectronctl_list id name step due_at context error method url key successor places created_at updated_at) ;;
        'keys rotations resume --sort') fill=(_spectronctl_offer id name step due_at context error method url key successor places created_at updated_at) ;;
        'keys rotations abort --columns') fill=(_spectronctl_list id name step due_at context error method url key successor places created_at updated_at) ;;
        'keys rotations abort --sort') fill=(_spectronctl_offer id name step due_at context error method url key successor places created_at updated_at) ;;
        'keys delete --columns') fill=(_spectronctl_list name id status last_used_at created_at logical principal principal_id expires_at scope_floor) ;;
        'keys delete --sort') fill=(_spectronctl_offer name id status last_used_at created_at logical principal principal_id expires_at scope_floor) ;;
        'keys verify --columns') fill=(_spectronctl_list principal_id kind display_name key_name effective_grants grants token_grants delegated_principal_id) ;;
        'keys verify --sort') fill=(_spectronctl_offer principal_id kind display_name key_name effective_grants grants token_grants delegated_principal_id) ;;
        'keys orphans --columns') fill=(_spectronctl_list name id reason last_used_at created_at expires_at) ;;
        'keys orphans --sort') fill=(_spectronctl_offer name id reason last_used_at created_at expires_at) ;;
        'principals list --columns') fill=(_spectronctl_list display_name id kind grants external_id created_at) ;;
        'principals list --sort') fill=(_spectronctl_offer display_name id kind grants external_id created_at) ;;
        'principals get --columns') fill=(_spectronctl_list display_name id kind grants external_id created_at) ;;
        'principals get --sort') fill=(_spectronctl_offer display_name id kind grants external_id created_at) ;;
        'principals create --columns') fill=(_spectronctl_list display_name id kind grants external_id created_at) ;;
        'principals create --sort') fill=(_spectronctl_offer display_name id kind grants external_id created_at) ;;
        'principals update --columns') fill=(_spectronctl_list display_name id kind grants external_id created_at) ;;
        'principals update --sort') fill=(_spectronctl_offer display_name id kind grants external_id created_at) ;;
        'principals delete --columns') fill=(_spectronctl_list display_name id kind grants external_id created_at) ;;
        'principals delete --sort') fill=(_spectronctl_offer display_name id kind grants external_id created_at) ;;
        'principals grant --columns') fill=(_spectronctl_list display_name id kind grants external_id created_at) ;;
        'principals grant --sort') fill=(_spectronctl_offer display_name id kind grants external_id created_at) ;;
        'principals revoke --columns') fill=(_spectronctl_list display_name id kind grants external_id created_at) ;;
        'principals revoke --sort') fill=(_spectronctl_offer display_name id kind grants external_id created_at) ;;
        'principals effective --columns') fill=(_spectronctl_list principal path verbs as_of) ;;
        'principals effective --sort') fill=(_spectronctl_offer principal path verbs as_of) ;;
        'principals whocan --columns') fill=(_spectronctl_list principal kind key status principal_id key_id) ;;
        'principals whocan --sort') fill=(_spectronctl_offer principal kind key status principal_id key_id) ;;
        'management-keys list --columns') fill=(_spectronctl_list name id last_used_at created_at) ;;
        'management-keys list --sort') fill=(_spectronctl_offer name id last_used_at created_at) ;;
        'management-keys create --columns') fill=(_spectronctl_list name id last_used_at created_at) ;;
        'management-keys create --sort') fill=(_spectronctl_offer name id last_used_at created_at) ;;
        'management-keys rotate --columns') fill=(_spectronctl_list name id last_used_at created_at) ;;
        'management-keys rotate --sort') fill=(_spectronctl_offer name id last_used_at created_at) ;;
        'management-keys revoke --columns') fill=(_spectronctl_list name id last_used_at created_at) ;;
        'management-keys revoke --sort') fill=(_spectronctl_offer name id last_used_at created_at) ;;
        'ontology get --columns') fill=(_spectronctl_list kind name attribute_keys) ;;
        'ontology get --sort') fill=(_spectronctl_offer kind name attribute_keys) ;;
        'ontology set --columns') fill=(_spectronctl_list kind name attribute_keys) ;;
        'ontology set --sort') fill=(_spectronctl_offer kind name attribute_keys) ;;
        'ontology edit --columns') fill=(_spectronctl_list kind name attribute_keys) ;;
        'ontology edit --sort') fill=(_spectronctl_offer kind name attribute_keys) ;;
        'ontology diff --columns') fill=(_spectronctl_list change kind entity_type name) ;;
        'ontology diff --sort') fill=(_spectronctl_offer change kind entity_type name) ;;
        'ontology delete --columns') fill=(_spectronctl_list context deleted) ;;
        'ontology delete --sort') fill=(_spectronctl_offer context deleted) ;;
        'ontology validate --columns') fill=(_spectronctl_list file valid entity_types attribute_keys relation_labels) ;;
        'ontology validate --sort') fill=(_spectronctl_offer file valid entity_types attribute_keys relation_labels) ;;
        'ontology add --columns') fill=(_spectronctl_list kind name attribute_keys) ;;
        'ontology add --sort') fill=(_spectronctl_offer kind name attribute_keys) ;;
        'ontology remove --columns') fill=(_spectronctl_list kind name attribute_keys) ;;
        'ontology remove --sort') fill=(_spectronctl_offer kind name attribute_keys) ;;
        'sessions list --columns') fill=(_spectronctl_list id turns last_turn_at created_at scopes metadata) ;;
        'sessions list --sort') fill=(_spectronctl_offer id turns last_turn_at created_at scopes metadata) ;;
        'sessions get --columns') fill=(_spectronctl_list id turns created_at scopes first_at last_at metadata) ;;
        'sessions get --sort') fill=(_spectronctl_offer id turns created_at scopes first_at last_at metadata) ;;
        'sessions transcript --columns') fill=(_spectronctl_list file status turns session error) ;;
        'sessions transcript --sort') fill=(_spectronctl_offer file status turns session error) ;;
        'sessions import --columns') fill=(_spectronctl_list session found sent) ;;
        'sessions import --sort') fill=(_spectronctl_offer session found sent) ;;
        'sessions context --columns') fill=(_spectronctl_list context) ;;
        'sessions context --sort') fill=(_spectronctl_offer context) ;;
        'sessions create --columns') fill=(_spectronctl_list id turns last_turn_at created_at scopes metadata) ;;
        'sessions create --sort') fill=(_spectronctl_offer id turns last_turn_at created_at scopes metadata) ;;
        'sessions delete --columns') fill=(_spectronctl_list id turns last_turn_at created_at scopes metadata) ;;
        'sessions delete --sort') fill=(_spectronctl_offer id turns last_turn_at created_at scopes metadata) ;;
        'scopes list --columns') fill=(_spectronctl_list path created_at tombstoned_at display_name description) ;;
        'scopes list --sort') fill=(_spectronctl_offer path created_at tombstoned_at display_name description) ;;
        'scopes create --columns') fill=(_spectronctl_list path created_at tombstoned_at display_name description) ;;
        'scopes create --sort') fill=(_spectronctl_offer path created_at tombstoned_at display_name description) ;;
        'scopes delete --columns') fill=(_spectronctl_list path created_at tombstoned_at display_name description) ;;
        'scopes delete --sort') fill=(_spectronctl_offer path created_at tombstoned_at display_name description) ;;
        'scopes forget --columns') fill=(_spectronctl_list forgotten co_owned sessions turns memories queries) ;;
        'scopes forget --sort') fill=(_spectronctl_offer forgotten co_owned sessions turns memories queries) ;;
        'lifecycle decay --columns') fill=(_spectronctl_list affected expired_memories pruned_cache_entries context error) ;;
        'lifecycle decay --sort') fill=(_spectronctl_offer affected expired_memories pruned_cache_entries context error) ;;
        'lifecycle expire --columns') fill=(_spectronctl_list affected context error) ;;
        'lifecycle expire --sort') fill=(_spectronctl_offer affected context error) ;;
        'lifecycle fsck --columns') fill=(_spectronctl_list check subject detail context total duplicates contradictions injection unscoped_content broken_references error) ;;
        'lifecycle fsck --sort') fill=(_spectronctl_offer check subject detail context total duplicates contradictions injection unscoped_content broken_references error) ;;
        'lifecycle reindex --columns') fill=(_spectronctl_list id status progress created_at kind error embedder started_at finished_at cancel_requested context) ;;
        'lifecycle reindex --sort') fill=(_spectronctl_offer id status progress created_at kind error embedder started_at finished_at cancel_requested context) ;;
        'lifecycle jobs list --columns') fill=(_spectronctl_list id status progress created_at kind error embedder started_at finished_at cancel_requested) ;;
        'lifecycle jobs list --sort') fill=(_spectronctl_offer id status progress created_at kind error embedder started_at finished_at cancel_requested) ;;
        'lifecycle jobs get --columns') fill=(_spectronctl_list id status progress created_at kind error embedder started_at finished_at cancel_requested) ;;
        'lifecycle jobs get --sort') fill=(_spectronctl_offer id status progress created_at kind error embedder started_at finished_at cancel_requested) ;;
        'lifecycle jobs watch --columns') fill=(_spectronctl_list id status progress created_at kind error embedder started_at finished_at cancel_requested) ;;
        'lifecycle jobs watch --sort') fill=(_spectronctl_offer id status progress created_at kind error embedder started_at finished_at cancel_requested) ;;
        'lifecycle jobs cancel --columns') fill=(_spectronctl_list id status progress created_at kind error embedder started_at finished_at cancel_requested) ;;
        'lifecycle jobs cancel --sort') fill=(_spectronctl_offer id status progress created_at kind error embedder started_at finished_at cancel_requested) ;;
        'traces list --columns') fill=(_spectronctl_list id query tier ms created_at reason principal cached) ;;
        'traces list --sort') fill=(_spectronctl_offer id query tier ms created_at reason principal cached) ;;
        'traces get --columns') fill=(_spectronctl_list id query tier ms created_at reason principal cached) ;;
        'traces get --sort') fill=(_spectronctl_offer id query tier ms created_at reason principal cached) ;;
        'traces stats --columns') fill=(_spectronctl_list queries avg_ms direct hybrid full responses cached hours hit_rate candidates) ;;
        'traces stats --sort') fill=(_spectronctl_offer queries avg_ms direct hybrid full responses cached hours hit_rate candidates) ;;
        'audit list --columns') fill=(_spectronctl_list created_at action outcome context name id operation key_id address status request_id trace_id kind principal rows ms cost model) ;;
        'audit list --sort') fill=(_spectronctl_offer created_at action outcome context name id operation key_id address status request_id trace_id kind principal rows ms cost model) ;;
        'migrations status --columns') fill=(_spectronctl_list context version newest state error) ;;
        'migrations status --sort') fill=(_spectronctl_offer context version newest state error) ;;
        'api --columns') fill=(_spectronctl_list status headers body) ;;
        'api --sort') fill=(_spectronctl_offer status headers body) ;;
        'profiles list --columns') fill=(_spectronctl_list name default protected url context key auth_header ca_file timeout retries) ;;
        'profiles list --sort') fill=(_spectronctl_offer name default protected url context key auth_header ca_file timeout retries) ;;
        'profiles get --columns') fill=(_spectronctl_list name default protected url context key auth_header ca_file timeout retries) ;;
        'profiles get --sort') fill=(_spectronctl_offer name default protected url context key auth_header ca_file timeout retries) ;;
        'profiles current --columns') fill=(_spectronctl_list name url source) ;;
        'profiles current --sort') fill=(_spectronctl_offer name url source) ;;
        'profiles show --columns') fill=(_spectronctl_list setting value source) ;;
        'profiles show --sort') fill=(_spectronctl_offer setting value source) ;;
        'profiles add --columns') fill=(_spectronctl_list name default protected url context key auth_header ca_file timeout retries) ;;
        'profiles add --sort') fill=(_spectronctl_offer name default protected url context key auth_header ca_file timeout retries) ;;
        'profiles use --columns') fill=(_spectronctl_list name default protected url context key auth_header ca_file timeout retries) ;;
        'profiles use --sort') fill=(_spectronctl_offer name default protected url context key auth_header ca_file timeout retries) ;;
        'profiles set --columns') fill=(_spectronctl_list name default protected url context key auth_header ca_file timeout retries) ;;
        'profiles set --sort') fill=(_spectronctl_offer name default protected url context key auth_header ca_file timeout retries) ;;
        'profiles unset --columns') fill=(_spectronctl_list name default protected url context key auth_header ca_file timeout retries) ;;
        'profiles unset --sort') fill=(_spectronctl_offer name default protected url context key auth_header ca_file timeout retries) ;;
        'profiles rename --columns') fill=(_spectronctl_list name default protected url context key auth_header ca_file timeout retries) ;;
        'profiles rename --sort') fill=(_spectronctl_offer name default protected url context key auth_header ca_file timeout retries) ;;
        'profiles remove --columns') fill=(_spectronctl_list name default protected url context key auth_header ca_file timeout retries) ;;
        'profiles remove --sort') fill=(_spectronctl_offer name default protected url context key auth_header ca_file timeout retries) ;;
        'profiles path --columns') fill=(_spectronctl_list path) ;;
        'profiles path --sort') fill=(_spectronctl_offer path) ;;
        'serve keys list --columns') fill=(_spectronctl_list name id last_used_at created_at) ;;
        'serve keys list --sort') fill=(_spectronctl_offer name id last_used_at created_at) ;;
        'serve keys create --columns') fill=(_spectronctl_list name id last_used_at created_at) ;;
        'serve keys create --sort') fill=(_spectronctl_offer name id last_used_at created_at) ;;
        'serve keys revoke --columns') fill=(_spectronctl_list name id last_used_at created_at) ;;
        'serve keys revoke --sort') fill=(_spectronctl_offer name id last_used_at created_at) ;;
        'serve secrets rotate --columns') fill=(_spectronctl_list contexts) ;;
        'serve secrets rotate --sort') fill=(_spectronctl_offer contexts) ;;
        'serve secrets forget --columns') fill=(_spectronctl_list context provider sealed_under) ;;
        'serve secrets forget --sort') fill=(_spectronctl_offer context provider sealed_under) ;;
        'version --columns') fill=(_spectronctl_list spectronctl python platform server compatibility missing) ;;
        'version --sort') fill=(_spectronctl_offer spectronctl python platform server compatibility missing) ;;
        'whoami --columns') fill=(_spectronctl_list principal_id server key source kind display_name key_name effective_grants grants token_grants delegated_principal_id plane accepted problem) ;;
        'whoami --sort') fill=(_spectronctl_offer principal_id server key source kind display_name key_name effective_grants grants token_grants delegated_principal_id plane accepted problem) ;;
        'doctor --columns') fill=(_spectronctl_list check status detail command hint exit_code seconds) ;;
        'doctor --sort') fill=(_spectronctl_offer check status detail command hint exit_code seconds) ;;
        'contexts list --match'|'sessions transcript --grep') fill=(_spectronctl_free PATTERN) ;;
        'contexts list --label') fill=(_spectronctl_free 'NAME[=VALUE]') ;;
        'contexts create --namespace'|'contexts create --database'|'contexts create --confirm'|'contexts update --confirm'|'contexts delete --confirm'|'contexts clone --namespace'|'contexts clone --database'|'keys create --confirm'|'keys rotate --confirm'|'keys delete --confirm'|'principals update --confirm'|'principals delete --confirm'|'principals revoke --confirm'|'management-keys rotate --confirm'|'management-keys revoke --confirm'|'ontology set --confirm'|'ontology edit --confirm'|'ontology delete --confirm'|'ontology add --entity-type'|'ontology remove --entity-type'|'ontology remove --confirm'|'sessions delete --confirm'|'scopes create --display-name'|'scopes delete --confirm'|'scopes forget --confirm'|'lifecycle decay --confirm'|'lifecycle expire --confirm'|'lifecycle fsck --check'|'audit list --action'|'audit tail --action'|'exec --key'|'api --confirm') fill=(_spectronctl_free NAME) ;;
        'contexts create --model-extraction'|'contexts create --model-response'|'contexts create --model-reflection'|'contexts create --model-reconciliation'|'contexts create --model-synthesis'|'contexts create --model-elaboration-consolidation'|'contexts create --model-embedding'|'contexts update --model-extraction'|'contexts update --model-response'|'contexts update --model-reflection'|'contexts update --model-reconciliation'|'contexts update --model-synthesis'|'contexts update --model-elaboration-consolidation'|'contexts update --model-embedding') fill=(_spectronctl_free PROVIDER/MODEL) ;;
        'contexts create --model'|'contexts update --model') fill=(_spectronctl_free STAGE=PROVIDER/MODEL) ;;
        'contexts create --provider'|'contexts update --provider'|'contexts clone --provider') fill=(_spectronctl_free 'NAME=env:VAR|file:PATH|-') ;;
        'contexts create --token-limit'|'contexts create --retention-days'|'contexts update --token-limit'|'contexts update --retention-days'|'keys rotate --parallel'|'keys rotate --max-failures'|'keys rotations resume --parallel'|'sessions transcript --tail'|'sessions transcript --from-seq'|'sessions transcript --parallel'|'sessions import --parallel'|'lifecycle decay --parallel'|'lifecycle expire --parallel'|'lifecycle fsck --parallel'|'lifecycle fsck --max-results'|'lifecycle reindex --parallel'|'traces stats --hours'|'audit tail --last'|*' --limit'|*' --retries') fill=(_spectronctl_free N) ;;
        'contexts create --set'|'contexts update --set') fill=(_spectronctl_free A.B=VALUE) ;;
        'contexts create --config'|'contexts update --config'|'contexts clone --secret-file'|'contexts clone --secret-env-file'|'keys create --secret-file'|'keys create --secret-env-file'|'keys rotate --secret-file'|'keys rotate --secret-env-file'|'keys rotations resume --secret-file'|'keys rotations resume --secret-env-file'|'management-keys create --secret-file'|'management-keys create --secret-env-file'|'management-keys rotate --secret-file'|'management-keys rotate --secret-env-file'|'sessions list --scope'|'sessions transcript --output-file'|'sessions transcript --output-dir'|'sessions import --scope'|'sessions create --scope'|'traces list --scope'|'traces stats --scope'|'profiles add --ca-file'|'serve --tls-cert'|'serve --tls-key'|'serve --secret-file'|'serve --secret-env-file'|'serve --secret-key-file'|'serve --ready-file'|'serve worker --secret-key-file'|'serve worker --ready-file'|'serve keys create --secret-file'|'serve keys create --secret-env-file'|'serve secrets rotate --secret-key-file'|'serve secrets forget --secret-key-file'|'serve exec --seed'|'serve exec --log-file'|'doctor --bundle'|'doctor --save-ca'|*' --api-key-file') fill=(_spectronctl_files) ;;
        'contexts create --if-exists') fill=(_spectronctl_offer fail skip update) ;;
        'contexts update --unset') fill=(_spectronctl_free A.B) ;;
        'contexts delete --if-missing'|'keys delete --if-missing'|'principals delete --if-missing'|'management-keys revoke --if-missing'|'sessions delete --if-missing'|'scopes delete --if-missing') fill=(_spectronctl_offer fail ok) ;;
        'contexts clone --if-exists'|'principals create --if-exists') fill=(_spectronctl_offer fail skip) ;;
        'contexts clone --secret-command'|'keys create --secret-command'|'keys rotate --secret-command'|'keys rotations resume --secret-command'|'management-keys create --secret-command'|'management-keys rotate --secret-command'|'profiles add --api-key-command'|'serve --secret-command'|'serve keys create --secret-command') fill=(_spectronctl_free CMD) ;;
        'contexts wait --for') fill=(_spectronctl_offer exists deleted) ;;
        'contexts wait --wait-timeout'|'keys list --older-than'|'keys list --unused-for'|'keys list --expiring'|'keys create --expires-in'|'keys create --ttl'|'keys rotate --overlap'|'keys rotate --drain'|'keys rotate --older-than'|'keys rotate --unused-for'|'keys rotate --expiring'|'keys orphans --grace'|'lifecycle reindex --wait-timeout'|'lifecycle jobs watch --wait-timeout'|'exec --expires-in'|*' --timeout') fill=(_spectronctl_free DURATION) ;;
        'keys list --principal'|'keys rotate --principal') fill=(_spectronctl_offer agent supervisor management) ;;
        'keys list --match'|'keys rotate --match') fill=(_spectronctl_free GLOB) ;;
        'keys create --principal'|'exec --principal') fill=(_spectronctl_offer agent supervisor) ;;
        'keys create --principal-id'|'principals create --external-id'|'audit list --principal'|'audit tail --principal') fill=(_spectronctl_free ID) ;;
        'keys create --scope-floor'|'exec --scope-floor') fill=(_spectronctl_free 'A=B,C=D|JSON') ;;
        'keys create --expires-at'|'principals effective --as-of'|'sessions list --since'|'sessions list --until'|'sessions transcript --since'|'sessions transcript --until'|'traces list --since'|'traces stats --since'|'audit list --since'|'audit list --until'|'audit tail --since') fill=(_spectronctl_free TIME) ;;
        'keys create --if-exists') fill=(_spectronctl_offer fail skip rotate) ;;
        'principals create --kind'|'principals update --kind') fill=(_spectronctl_offer human agent service unknown) ;;
        'principals create --grant'|'principals update --grants') fill=(_spectronctl_free VERB=PATTERN) ;;
        'principals update --name') fill=(_spectronctl_free NEW) ;;
        'ontology add --attribute'|'ontology remove --attribute') fill=(_spectronctl_free TYPE=KEY,KEY) ;;
        'ontology add --relation'|'ontology remove --relation') fill=(_spectronctl_free LABEL) ;;
        'sessions transcript --format') fill=(_spectronctl_offer text markdown html json jsonl csv) ;;
        'sessions transcript --role') fill=(_spectronctl_offer user assistant system tool) ;;
        'sessions import --session') fill=(_spectronctl_free SESSION) ;;
        'sessions create --metadata') fill=(_spectronctl_free JSON) ;;
        'scopes create --description') fill=(_spectronctl_free WORDS) ;;
        'lifecycle fsck --duplicate-threshold') fill=(_spectronctl_free X) ;;
        'lifecycle reindex --if-running') fill=(_spectronctl_offer fail join) ;;
        'lifecycle jobs list --status') fill=(_spectronctl_offer queued running succeeded failed cancelled) ;;
        'lifecycle jobs list --kind') fill=(_spectronctl_free KIND) ;;
        'audit list --key'|'audit tail --key'|*' --api-key') fill=(_spectronctl_free KEY) ;;
        'audit list --kind'|'audit tail --kind') fill=(_spectronctl_offer decision retrieval response) ;;
        'api --data'|'api -d') fill=(_spectronctl_free 'JSON|@FILE|-') ;;
        'api --field') fill=(_spectronctl_free NAME=VALUE) ;;
        'api --form') fill=(_spectronctl_free 'NAME=VALUE|@FILE') ;;
        'api --header') fill=(_spectronctl_free NAME:VALUE) ;;
        'profiles add --api-key-env') fill=(_spectronctl_free VAR) ;;
        'profiles add --auth-header') fill=(_spectronctl_offer both bearer api-key) ;;
        'profiles add --proxy'|'serve --store'|'serve worker --store'|'serve keys list --store'|'serve keys create --store'|'serve keys revoke --store'|'serve secrets rotate --store'|'serve secrets forget --store'|*' --url') fill=(_spectronctl_free URL) ;;
        'serve --host') fill=(_spectronctl_free HOST) ;;
        'serve --port') fill=(_spectronctl_free PORT) ;;
        'serve --log-format'|'serve worker --log-format'|'serve exec --log-format') fill=(_spectronctl_offer text json) ;;
        'serve --log-level'|'serve worker --log-level') fill=(_spectronctl_offer debug info warning error) ;;
        'whoami --plane') fill=(_spectronctl_offer management context both) ;;
        *' --profile') fill=(_spectronctl_ask profiles) ;;
        *' --context'|*' -c') fill=(_spectronctl_ask contexts) ;;
        *' --output'|*' -o') fill=(_spectronctl_offer table wide json jsonl yaml csv name) ;;
        *' --query') fill=(_spectronctl_free JMESPATH) ;;
        *' --columns') fill=(_spectronctl_free A,B) ;;
        *' --sort') fill=(_spectronctl_free '[-]COLUMN') ;;
        *' --color') fill=(_spectronctl_offer auto always never) ;;
        *'>' | *'<') fill=(_spectronctl_files) ;;
        *) return 1 ;;
    esac
}

_spectronctl_argument() {
    case "$at $count" in
        'contexts get 0') fill=(_spectronctl_ask contexts) ;;
        'contexts create 0') fill=(_spectronctl_free ID) ;;
        'contexts update 0') fill=(_spectronctl_ask contexts) ;;
        'contexts delete '*) fill=(_spectronctl_ask contexts) ;;
        'contexts clone 0') fill=(_spectronctl_free SRC) ;;
        'contexts clone 1') fill=(_spectronctl_free DST) ;;
        'contexts wait 0') fill=(_spectronctl_ask contexts) ;;
        'keys get 0') fill=(_spectronctl_ask keys) ;;
        'keys create 0') fill=(_spectronctl_free NAME) ;;
        'keys rotate 0') fill=(_spectronctl_ask keys) ;;
        'keys rotations get 0') fill=(_spectronctl_ask rotations) ;;
        'keys rotations resume '*) fill=(_spectronctl_ask rotations) ;;
        'keys rotations abort 0') fill=(_spectronctl_ask rotations) ;;
        'keys delete '*) fill=(_spectronctl_ask keys) ;;
        'keys verify 0') fill=(_spectronctl_free SOURCE) ;;
        'principals get 0') fill=(_spectronctl_free PRINCIPAL) ;;
        'principals create 0') fill=(_spectronctl_free NAME) ;;
        'principals update 0') fill=(_spectronctl_free PRINCIPAL) ;;
        'principals delete 0') fill=(_spectronctl_free PRINCIPAL) ;;
        'principals grant 0') fill=(_spectronctl_free PRINCIPAL) ;;
        'principals grant '*) fill=(_spectronctl_free GRANT) ;;
        'principals revoke 0') fill=(_spectronctl_free PRINCIPAL) ;;
        'principals revoke '*) fill=(_spectronctl_free GRANT) ;;
        'principals effective 0') fill=(_spectronctl_free PRINCIPAL) ;;
        'principals effective 1') fill=(_spectronctl_ask scopes) ;;
        'principals whocan 0') fill=(_spectronctl_free VERB) ;;
        'principals whocan 1') fill=(_spectronctl_ask scopes) ;;
        'management-keys create 0') fill=(_spectronctl_free NAME) ;;
        'management-keys rotate 0') fill=(_spectronctl_ask management-keys) ;;
        'management-keys revoke 0') fill=(_spectronctl_ask management-keys) ;;
        'ontology set 0') fill=(_spectronctl_files) ;;
        'ontology diff 0') fill=(_spectronctl_files) ;;
        'ontology validate 0') fill=(_spectronctl_files) ;;
        'sessions get 0') fill=(_spectronctl_ask sessions) ;;
        'sessions transcript '*) fill=(_spectronctl_ask sessions) ;;
        'sessions import 0') fill=(_spectronctl_files) ;;
        'sessions context 0') fill=(_spectronctl_ask sessions) ;;
        'sessions context 1') fill=(_spectronctl_free QUERY) ;;
        'sessions delete '*) fill=(_spectronctl_ask sessions) ;;
        'scopes create 0') fill=(_spectronctl_ask scopes) ;;
        'scopes delete '*) fill=(_spectronctl_ask scopes) ;;
        'scopes forget 0') fill=(_spectronctl_ask scopes) ;;
        'lifecycle decay '*) fill=(_spectronctl_ask contexts) ;;
        'lifecycle expire '*) fill=(_spectronctl_ask contexts) ;;
        'lifecycle fsck '*) fill=(_spectronctl_ask contexts) ;;
        'lifecycle reindex '*) fill=(_spectronctl_ask contexts) ;;
        'lifecycle jobs get 0') fill=(_spectronctl_ask jobs) ;;
        'lifecycle jobs watch 0') fill=(_spectronctl_ask jobs) ;;
        'lifecycle jobs cancel 0') fill=(_spectronctl_ask jobs) ;;
        'traces get 0') fill=(_spectronctl_free TRACE) ;;
        'exec '*) fill=(_spectronctl_free CMD) ;;
        'api 0') fill=(_spectronctl_offer GET POST PUT PATCH DELETE HEAD OPTIONS) ;;
        'api 1') fill=(_spectronctl_free PATH) ;;
        'profiles get 0') fill=(_spectronctl_ask profiles) ;;
        'profiles show 0') fill=(_spectronctl_ask profiles) ;;
        'profiles add 0') fill=(_spectronctl_free NAME) ;;
        'profiles use 0') fill=(_spectronctl_ask profiles) ;;
        'profiles set 0') fill=(_spectronctl_ask profiles) ;;
        'profiles set 1') fill=(_spectronctl_free FIELD) ;;
        'profiles set 2') fill=(_spectronctl_free 'VALUE|-') ;;
        'profiles unset 0') fill=(_spectronctl_ask profiles) ;;
        'profiles unset 1') fill=(_spectronctl_free FIELD) ;;
        'profiles rename 0') fill=(_spectronctl_ask profiles) ;;
        'profiles rename 1') fill=(_spectronctl_free NEW) ;;
        'profiles remove 0') fill=(_spectronctl_ask profiles) ;;
        'serve keys create 0') fill=(_spectronctl_free NAME) ;;
        'serve keys revoke 0') fill=(_spectronctl_free ID) ;;
        'serve exec '*) fill=(_spectronctl_free CMD) ;;
        'completion 0') fill=(_spectronctl_offer bash zsh fish powershell) ;;
        *) return 1 ;;
    esac
}

_spectronctl_commands() {
    case $at in
        '') _spectronctl_offer contexts keys principals management-keys ontology sessions scopes lifecycle traces audit exec migrations api profiles serve completion options version whoami doctor ;;
        contexts) _spectronctl_offer list get create update delete clone wait ;;
        keys) _spectronctl_offer list get create rotate rotations delete verify orphans ;;
        'keys rotations') _spectronctl_offer list get resume abort ;;
        principals) _spectronctl_offer list get create update delete grant revoke effective whocan ;;
        management-keys) _spectronctl_offer list create rotate revoke ;;
        ontology) _spectronctl_offer get set edit diff delete validate add remove ;;
        sessions) _spectronctl_offer list get transcript import context create delete ;;
        scopes) _spectronctl_offer list create delete forget ;;
        lifecycle) _spectronctl_offer decay expire fsck reindex jobs ;;
        'lifecycle jobs') _spectronctl_offer list get watch cancel ;;
        traces) _spectronctl_offer list get stats ;;
        audit) _spectronctl_offer list tail ;;
        migrations) _spectronctl_offer status ;;
        profiles) _spectronctl_offer list get current show add use set unset rename remove path ;;
        serve) _spectronctl_offer worker keys secrets exec ;;
        'serve keys') _spectronctl_offer list create revoke ;;
        'serve secrets') _spectronctl_offer rotate forget ;;
    esac
}

_spectronctl_options() {
    case $at in
        '') _spectronctl_offer --help -h ;;
        contexts) _spectronctl_offer --help -h ;;
        'contexts list') _spectronctl_offer --match --label --help -h ;;
        'contexts get') _spectronctl_offer --help -h ;;
        'contexts create') _spectronctl_offer --namespace --database --model-extraction --model-response --model-reflection --model-reconciliation --model-synthesis --model-elaboration-consolidation --model-embedding --model --provider --token-limit --retention-days --set --config --if-exists --confirm --help -h ;;
        'contexts update') _spectronctl_offer --model-extraction --model-response --model-reflection --model-reconciliation --model-synthesis --model-elaboration-consolidation --model-embedding --model --provider --token-limit --retention-days --set --config --unset --confirm --help -h ;;
        'contexts delete') _spectronctl_offer --confirm --if-missing --help -h ;;
        'contexts clone') _spectronctl_offer --namespace --database --provider --no-keys --no-ontology --if-exists --dry-run --secret-file --secret-env-file --secret-command --force --reveal --help -h ;;
        'contexts wait') _spectronctl_offer --for --wait-timeout --help -h ;;
        keys) _spectronctl_offer --help -h ;;
        'keys list') _spectronctl_offer --older-than --unused-for --expiring --principal --match --help -h ;;
        'keys get') _spectronctl_offer --help -h ;;
        'keys create') _spectronctl_offer --principal --principal-id --scope-floor --expires-at --expires-in --ttl --secret-file --secret-env-file --secret-command --force --reveal --if-exists --confirm --recover --help -h ;;
        'keys rotate') _spectronctl_offer --overlap --drain --leaked --secret-file --secret-env-file --secret-command --force --reveal --older-than --unused-for --expiring --principal --match --all --parallel --max-failures --dry-run --confirm --recover --wait --help -h ;;
        'keys rotations') _spectronctl_offer --help -h ;;
        'keys rotations list') _spectronctl_offer --all --help -h ;;
        'keys rotations get') _spectronctl_offer --help -h ;;
        'keys rotations resume') _spectronctl_offer --secret-file --secret-env-file --secret-command --force --reveal --wait --parallel --help -h ;;
        'keys rotations abort') _spectronctl_offer --help -h ;;
        'keys delete') _spectronctl_offer --confirm --if-missing --help -h ;;
        'keys verify') _spectronctl_offer --help -h ;;
        'keys orphans') _spectronctl_offer --grace --help -h ;;
        principals) _spectronctl_offer --help -h ;;
        'principals list') _spectronctl_offer --help -h ;;
        'principals get') _spectronctl_offer --help -h ;;
        'principals create') _spectronctl_offer --kind --external-id --grant --if-exists --help -h ;;
        'principals update') _spectronctl_offer --name --kind --grants --confirm --help -h ;;
        'principals delete') _spectronctl_offer --confirm --if-missing --help -h ;;
        'principals grant') _spectronctl_offer --help -h ;;
        'principals revoke') _spectronctl_offer --confirm --help -h ;;
        'principals effective') _spectronctl_offer --as-of --help -h ;;
        'principals whocan') _spectronctl_offer --help -h ;;
        management-keys) _spectronctl_offer --help -h ;;
        'management-keys list') _spectronctl_offer --help -h ;;
        'management-keys create') _spectronctl_offer --secret-file --secret-env-file --secret-command --force --reveal --help -h ;;
        'management-keys rotate') _spectronctl_offer --secret-file --secret-env-file --secret-command --force --reveal --confirm --recover --dry-run --help -h ;;
        'management-keys revoke') _spectronctl_offer --confirm --if-missing --force --dry-run --help -h ;;
        ontology) _spectronctl_offer --help -h ;;
        'ontology get') _spectronctl_offer --help -h ;;
        'ontology set') _spectronctl_offer --confirm --help -h ;;
        'ontology edit') _spectronctl_offer --confirm --help -h ;;
        'ontology diff') _spectronctl_offer --exit-code --help -h ;;
        'ontology delete') _spectronctl_offer --confirm --help -h ;;
        'ontology validate') _spectronctl_offer --help -h ;;
        'ontology add') _spectronctl_offer --entity-type --attribute --relation --help -h ;;
        'ontology remove') _spectronctl_offer --entity-type --attribute --relation --confirm --help -h ;;
        sessions) _spectronctl_offer --help -h ;;
        'sessions list') _spectronctl_offer --since --until --scope --help -h ;;
        'sessions get') _spectronctl_offer --help -h ;;
        'sessions transcript') _spectronctl_offer --format --tail --from-seq --role --since --until --grep --follow --output-file --output-dir --resume --force --all --parallel --help -h ;;
        'sessions import') _spectronctl_offer --session --scope --parallel --help -h ;;
        'sessions context') _spectronctl_offer --help -h ;;
        'sessions create') _spectronctl_offer --scope --metadata --help -h ;;
        'sessions delete') _spectronctl_offer --confirm --if-missing --help -h ;;
        scopes) _spectronctl_offer --help -h ;;
        'scopes list') _spectronctl_offer --help -h ;;
        'scopes create') _spectronctl_offer --display-name --description --help -h ;;
        'scopes delete') _spectronctl_offer --confirm --if-missing --help -h ;;
        'scopes forget') _spectronctl_offer --dry-run --confirm --help -h ;;
        lifecycle) _spectronctl_offer --help -h ;;
        'lifecycle decay') _spectronctl_offer --all-contexts --parallel --confirm --help -h ;;
        'lifecycle expire') _spectronctl_offer --all-contexts --parallel --dry-run --confirm --help -h ;;
        'lifecycle fsck') _spectronctl_offer --all-contexts --parallel --check --duplicate-threshold --max-results --exit-code --help -h ;;
        'lifecycle reindex') _spectronctl_offer --all-contexts --parallel --no-wait --wait-timeout --if-running --help -h ;;
        'lifecycle jobs') _spectronctl_offer --help -h ;;
        'lifecycle jobs list') _spectronctl_offer --status --kind --help -h ;;
        'lifecycle jobs get') _spectronctl_offer --help -h ;;
        'lifecycle jobs watch') _spectronctl_offer --wait-timeout --help -h ;;
        'lifecycle jobs cancel') _spectronctl_offer --wait --help -h ;;
        traces) _spectronctl_offer --help -h ;;
        'traces list') _spectronctl_offer --since --scope --help -h ;;
        'traces get') _spectronctl_offer --help -h ;;
        'traces stats') _spectronctl_offer --hours --since --scope --help -h ;;
        audit) _spectronctl_offer --help -h ;;
        'audit list') _spectronctl_offer --management --since --key --principal --kind --action --until --help -h ;;
        'audit tail') _spectronctl_offer --management --since --key --principal --kind --action --last --follow --help -h ;;
        exec) _spectronctl_offer --key --principal --scope-floor --expires-in --help -h ;;
        migrations) _spectronctl_offer --help -h ;;
        'migrations status') _spectronctl_offer --help -h ;;
        api) _spectronctl_offer --data -d --field --form --header --paginate --include --reveal --confirm --help -h ;;
        profiles) _spectronctl_offer --help -h ;;
        'profiles list') _spectronctl_offer --help -h ;;
        'profiles get') _spectronctl_offer --help -h ;;
        'profiles current') _spectronctl_offer --help -h ;;
        'profiles show') _spectronctl_offer --help -h ;;
        'profiles add') _spectronctl_offer --api-key-env --api-key-command --auth-header --ca-file --proxy --protected --use --check --help -h ;;
        'profiles use') _spectronctl_offer --help -h ;;
        'profiles set') _spectronctl_offer --help -h ;;
        'profiles unset') _spectronctl_offer --help -h ;;
        'profiles rename') _spectronctl_offer --help -h ;;
        'profiles remove') _spectronctl_offer --help -h ;;
        'profiles path') _spectronctl_offer --help -h ;;
        serve) _spectronctl_offer --host --port --tls-cert --tls-key --insecure-bind --secret-file --secret-env-file --secret-command --force --reveal --store --bootstrap --no-worker --allow-private-providers --secret-key-file --ready-file --log-format --log-level --help -h ;;
        'serve worker') _spectronctl_offer --store --allow-private-providers --secret-key-file --ready-file --log-format --log-level --help -h ;;
        'serve keys') _spectronctl_offer --help -h ;;
        'serve keys list') _spectronctl_offer --store --help -h ;;
        'serve keys create') _spectronctl_offer --secret-file --secret-env-file --secret-command --force --reveal --store --help -h ;;
        'serve keys revoke') _spectronctl_offer --store --help -h ;;
        'serve secrets') _spectronctl_offer --help -h ;;
        'serve secrets rotate') _spectronctl_offer --store --secret-key-file --help -h ;;
        'serve secrets forget') _spectronctl_offer --store --secret-key-file --dry-run --help -h ;;
        'serve exec') _spectronctl_offer --seed --log-file --log-format --help -h ;;
        completion) _spectronctl_offer --help -h ;;
        options) _spectronctl_offer --help -h ;;
        version) _spectronctl_offer --server --check-server --help -h ;;
        whoami) _spectronctl_offer --plane --help -h ;;
        doctor) _spectronctl_offer --bundle --save-ca --force --help -h ;;
    esac
    _spectronctl_offer --profile --url --api-key --api-key-file --context -c --output -o --json --query --columns --sort --limit --no-header --quiet -q --yes -y --no-input --color --timeout --retries --debug --version
}

_spectronctl_offer() {
    local each
    for each in "$@"; do
        [[ -n $each && $each == "$cur"* ]] && COMPREPLY+=("$prefix$each")
    done
}

_spectronctl_ask() {
    local each
    while IFS= read -r each; do
        _spectronctl_offer "$each"
    done <<< "$(printf '%s' "${COMP_LINE:0:COMP_POINT}" | command spectronctl __complete "$1" - 2> /dev/null)"
}

_spectronctl_list() {
    [[ $cur == *,* ]] && prefix+=${cur%,*}, cur=${cur##*,}
    _spectronctl_offer "$@"
}

_spectronctl_files() {
    local each
    # Readline completes files best, but only words of their own, and not at the request of a bash before 4.
    [[ -z $prefix ]] && compopt -o default 2> /dev/null && return
    while IFS= read -r each; do
        _spectronctl_offer "$each"
    done <<< "$(compgen -f -- "$cur")"
}

_spectronctl_free() {
    :
}

# Readline splits words at = and : too; the shell does not, so they are put together again.
_spectronctl_words() {
    local i line=${COMP_LINE:0:COMP_POINT} word
    for ((i = 0; i <= COMP_CWORD; i++)); do
        word=${COMP_WORDS[i]}
        ((i == COMP_CWORD)) && word=${line#"${line%%[![:blank:]]*}"}
        if ((last < 0)) || [[ $line == [[:blank:]]* || ${words[last]} == *[\<\>] ]]; then
            words[++last]=$word
            line=${line#"${line%%[![:blank:]]*}"}
        else
            words[last]+=$word
        fi
        line=${line#"$word"}
    done
}

_spectronctl() {
    local at= count=0 cur fill i last=-1 option= prefix= rest= word words
    COMPREPLY=()
    words=()
    _spectronctl_words
    for ((i = 1; i < last; i++)); do
        word=${words[i]}
        if [[ -n $option ]]; then
            option=
        elif [[ -z $rest && $word == -- ]]; then
            rest=1
        elif [[ -z $rest && $word == -?* || $word == *[\<\>] ]]; then
            _spectronctl_value "$word" && option=$word
        elif ((count)) || ! _spectronctl_step "$word"; then
            ((count++))
        fi
    done
    cur=${words[last]#[\"\']}
    if [[ -n $option ]]; then
        "${fill[@]}"
    elif [[ -z $rest && $cur == --*=* ]] && _spectronctl_value "${cur%%=*}"; then
        [[ $COMP_WORDBREAKS == *=* ]] || prefix=${cur%%=*}=
        cur=${cur#*=}
        "${fill[@]}"
    elif [[ -z $rest && $cur == -* ]]; then
        _spectronctl_options
    else
        ((count)) || _spectronctl_commands
        _spectronctl_argument && "${fill[@]}"
    fi
}

complete -F _spectronctl spectronctl
