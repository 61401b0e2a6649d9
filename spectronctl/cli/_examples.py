"""
Examples of every command, as its help shows them, without the word `spectronctl`.

A test runs each of them. The ids in them (`session:…`, `job_…`, `rot_…`) stand for those of the server that it runs on.
"""

from __future__ import annotations

SESSION = "session:01JC4YKM3VQ8Z5T2N7XW9RHEA1"
JOB = "job_01JC4YKM3VQ8Z5T2N7XW9RHEA1"
ROTATION = "rot_20260301T071945_7f3c9e52"

EXAMPLES: dict[str, tuple[str, ...]] = {
    "": (
        "--profile local contexts create acme --namespace acme --database x",
        "keys create app-agent -c acme-prod --secret-file app.key",
        "keys rotate app-agent -c acme-prod --secret-file app.key --force",
        "help keys rotate",
    ),
    "contexts": ("contexts list", "contexts create acme-dev --namespace acme --database dev"),
    "contexts list": (
        "contexts list",
        "contexts list --match 'acme-*' --label team=search",
        "contexts list --query '[].id' -o json",
    ),
    "contexts get": ("contexts get acme-prod", "contexts get acme-prod --query config -o json"),
    "contexts create": (
        "contexts create acme-dev --namespace acme --database dev",
        "contexts create ci --namespace acme --database ci --if-exists skip",
    ),
    "contexts update": (
        "contexts update acme-prod --retention-days 90",
        "contexts update acme-prod --set labels.team=search",
    ),
    "contexts delete": ("contexts delete acme-old", "contexts delete acme-old --yes --if-missing ok"),
    "contexts clone": (
        "contexts clone acme-prod c --namespace acme --database c --no-keys",
        "contexts clone acme-prod d --namespace d --database d --dry-run",
    ),
    "contexts wait": ("contexts wait acme-prod --wait-timeout 2m",),
    "keys": ("keys list -c acme-prod", "keys create app -c acme-prod --secret-file app.key"),
    "keys list": ("keys list -c acme-prod", "keys list --expiring 7d --columns name,expires_at"),
    "keys get": ("keys get app-agent", "keys get app-agent -o json --query last_used_at"),
    "keys create": (
        "keys create app --scope-floor org=acme --secret-file app.key",
        "keys create ci --expires-in 90d --secret-env-file .env:AGENT_KEY",
    ),
    "keys rotate": (
        "keys rotate app-agent --secret-file app.key --force",
        "keys rotate app-agent --overlap 24h --secret-file app.key --force",
        "keys rotate --older-than 90d --secret-file {name} --dry-run",
    ),
    "keys rotations": ("keys rotations list", "keys rotations resume"),
    "keys rotations list": ("keys rotations list", "keys rotations list --all -o wide"),
    "keys rotations get": (f"keys rotations get {ROTATION}",),
    "keys rotations resume": ("keys rotations resume", f"keys rotations resume {ROTATION}"),
    "keys rotations abort": (f"keys rotations abort {ROTATION}",),
    "keys delete": ("keys delete old-agent", "keys delete old-agent --yes --if-missing ok"),
    "keys verify": ("keys verify file:app.key", "keys verify env:SPECTRON_API_KEY -o json"),
    "keys orphans": ("keys orphans", "keys orphans --grace 30d -o name"),
    "management-keys": ("management-keys list", "management-keys create ci --secret-file ci.key"),
    "management-keys list": ("management-keys list", "management-keys list -o json"),
    "management-keys create": (
        "management-keys create ci --secret-file ci.key",
        "management-keys create deploy --secret-env-file .env:MANAGEMENT_KEY",
    ),
    "management-keys rotate": (
        "management-keys rotate ops --secret-file ops.key --force",
        "management-keys rotate ops --dry-run",
    ),
    "management-keys revoke": (
        "management-keys revoke ops",
        "management-keys revoke ops --yes --if-missing ok",
    ),
    "ontology": ("ontology get", "ontology add --entity-type Person --attribute Person=name,city"),
    "ontology get": ("ontology get", "ontology get -o yaml"),
    "ontology set": ("ontology set people.yaml",),
    "ontology edit": ("ontology edit",),
    "ontology diff": ("ontology diff people.yaml", "ontology diff people.yaml -o json"),
    "ontology delete": ("ontology delete --confirm acme-prod",),
    "ontology validate": ("ontology validate people.yaml",),
    "ontology add": ("ontology add --entity-type Person --attribute Person=name,city",),
    "ontology remove": ("ontology remove --entity-type Person",),
    "sessions": ("sessions list", f"sessions transcript {SESSION}"),
    "sessions list": ("sessions list", "sessions list --since 7d -o name"),
    "sessions get": (f"sessions get {SESSION}",),
    "sessions transcript": (
        f"sessions transcript {SESSION} --tail 20",
        f"sessions transcript {SESSION} --since 7d",
        f"sessions transcript {SESSION} -o json",
        "sessions transcript --all --output-dir . --format json",
    ),
    "sessions import": ("sessions import talk.jsonl", "sessions import talk.jsonl --scope org/acme"),
    "sessions context": (f"sessions context {SESSION} plants",),
    "sessions create": ("sessions create", "sessions create --scope org/acme --metadata '{\"ticket\": 4711}'"),
    "sessions delete": (f"sessions delete {SESSION}",),
    "lifecycle": ("lifecycle expire --dry-run", "lifecycle jobs list"),
    "lifecycle decay": ("lifecycle decay acme-prod", "lifecycle decay --all-contexts --yes"),
    "lifecycle expire": ("lifecycle expire --dry-run", "lifecycle expire acme-prod --yes"),
    "lifecycle fsck": ("lifecycle fsck", "lifecycle fsck --all-contexts --check duplicates"),
    "lifecycle reindex": ("lifecycle reindex acme-prod", "lifecycle reindex acme-prod --no-wait -o name"),
    "lifecycle jobs": ("lifecycle jobs list", f"lifecycle jobs watch {JOB}"),
    "lifecycle jobs list": ("lifecycle jobs list", "lifecycle jobs list --status failed"),
    "lifecycle jobs get": (f"lifecycle jobs get {JOB}",),
    "lifecycle jobs watch": (f"lifecycle jobs watch {JOB}",),
    "lifecycle jobs cancel": (f"lifecycle jobs cancel {JOB}",),
    "exec": ("exec --key app-agent --expires-in 1h -- printenv SPECTRON_API_KEY",),
    "migrations": ("migrations status",),
    "migrations status": ("migrations status", "migrations status -c acme-prod -o json"),
    "api": (
        "api GET /contexts",
        "api POST /contexts/x --field namespace=acme --field database=x",
    ),
    "profiles": (
        "profiles add dr --url https://dr.example.com --api-key-file dr.key",
        "profiles list",
    ),
    "profiles list": ("profiles list",),
    "profiles get": ("profiles get prod",),
    "profiles current": ("profiles current", "profiles current -o name"),
    "profiles rename": ("profiles rename prod production",),
    "profiles show": ("profiles show", "profiles show prod -o json"),
    "profiles add": (
        "profiles add dr --url https://dr.example.com --api-key-file dr.key",
        "profiles add dev --url http://127.0.0.1:9090 --api-key-env DEV_KEY",
    ),
    "profiles use": ("profiles use prod",),
    "profiles set": ("profiles set prod timeout 20s", "profiles set prod context acme-prod"),
    "profiles unset": ("profiles unset prod timeout",),
    "profiles remove": ("profiles remove prod",),
    "profiles path": ("profiles path",),
    "serve": (
        "serve --bootstrap --secret-file management.key",
        "serve --store mem:// --port 0 --bootstrap --secret-file test.key",
    ),
    "serve worker": ("serve worker",),
    "serve keys": ("serve keys list", "serve keys create ci --secret-file ci.key"),
    "serve keys list": ("serve keys list",),
    "serve keys create": ("serve keys create ci --secret-file ci.key",),
    "serve keys revoke": ("serve keys revoke mgk_01JC4YKM3VQ8Z5T2N7XW9RHEA1",),
    "serve exec": ("serve exec --seed seed.yaml -- spectronctl contexts list",),
    "completion": ("completion bash", "completion zsh"),
    "version": ("version", "version --check-server"),
    "options": ("options",),
    "whoami": ("whoami", "whoami --plane both"),
    "doctor": ("doctor", "doctor --bundle report.json"),
}  # fmt: skip
"""By the words of the command."""
