-- Schema 2: the auth mode, derived values, the history, remotes and settings.
-- An upgrade from schema 1 creates the new table of connectors and fills it between the first two steps
-- (src/store/file/upgrade.rs).

-- step: create the connectors
-- key: never reused, even after the connector was deleted; the history refers to it.
-- auth_mode: copied from `extra` if a record of schema 1 has it there.
-- revision: the history step that wrote the record, so that one revision means one content. A foreign write gets a
-- negative number, which no step has.
-- From auth_type on: derived from the other columns by the program (src/domain/derived.rs); NULL while is_derived is 0.
CREATE TABLE connectors (
  key                INTEGER PRIMARY KEY AUTOINCREMENT,
  id                 TEXT NOT NULL UNIQUE,
  connector_type_id  TEXT NOT NULL,
  name               TEXT NOT NULL,
  config             TEXT NOT NULL DEFAULT '{}',
  secrets            TEXT,
  is_missing_secrets INTEGER NOT NULL DEFAULT 0,
  extra              TEXT NOT NULL DEFAULT '{}',
  model_version      INTEGER NOT NULL DEFAULT 1,
  created_at         TEXT,
  updated_at         TEXT,
  auth_mode          TEXT CHECK (auth_mode IN ('shared', 'per-user')),
  revision           INTEGER NOT NULL DEFAULT 0,
  auth_type          TEXT,
  migration_group    TEXT CHECK (migration_group IN ('backfill', 'stamp_only', 'blocked')),
  is_malformed       INTEGER,
  is_deprecated_use  INTEGER,
  key_id             TEXT,
  is_derived         INTEGER NOT NULL DEFAULT 0
) STRICT;

-- The keys of deleted connectors: a connector that is restored under its id gets its key, and with it its history.
CREATE TABLE past_connectors (
  id   TEXT NOT NULL PRIMARY KEY,
  key  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- step: index the names
CREATE INDEX connectors_by_name ON connectors (name COLLATE NOCASE);

-- step: index the times
CREATE INDEX connectors_by_updated_at ON connectors (updated_at);

-- step: index the connector types
CREATE INDEX connectors_by_type ON connectors (connector_type_id);

-- step: index the auth types
CREATE INDEX connectors_by_auth_type ON connectors (auth_type);

-- step: index the auth modes
CREATE INDEX connectors_by_auth_mode ON connectors (auth_mode);

-- step: index the migration plan
CREATE INDEX connectors_by_group ON connectors (migration_group) WHERE migration_group IS NOT NULL;

-- step: index the secrets
CREATE INDEX connectors_missing_secrets ON connectors (name COLLATE NOCASE) WHERE is_missing_secrets <> 0;
CREATE INDEX connectors_by_key_id ON connectors (key_id) WHERE key_id IS NOT NULL;

-- step: index malformed and underived records
CREATE INDEX connectors_malformed ON connectors (is_malformed) WHERE is_malformed <> 0;
CREATE INDEX connectors_not_derived ON connectors (is_derived) WHERE is_derived = 0;

-- step: create the settings
-- foreign_changes: counts the changes of other programs, after which names in memory are read again.
-- rules: the version of the rules for the derived columns.
CREATE TABLE settings (
  name   TEXT NOT NULL PRIMARY KEY,
  value  TEXT NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO settings VALUES ('foreign_changes', '0');

-- step: notice writes of other programs
-- A write of this program changes the revision or, when it re-encrypts secrets, the key id.
CREATE TRIGGER connectors_changed_elsewhere
AFTER UPDATE OF id, connector_type_id, name, config, secrets, is_missing_secrets, extra, model_version, created_at,
  updated_at, auth_mode, revision ON connectors
WHEN new.revision = old.revision AND new.key_id IS old.key_id
BEGIN
  UPDATE connectors SET revision = -1 - abs(random() % 1000000000000), auth_type = NULL, migration_group = NULL,
    is_malformed = NULL, is_deprecated_use = NULL, key_id = NULL, is_derived = 0 WHERE key = new.key;
  UPDATE settings SET value = CAST(value + 1 AS TEXT) WHERE name = 'foreign_changes';
END;
CREATE TRIGGER connectors_added_elsewhere AFTER INSERT ON connectors WHEN new.revision = 0
BEGIN
  UPDATE connectors SET key = (SELECT key FROM past_connectors WHERE id = new.id)
    WHERE key = new.key AND EXISTS (SELECT 1 FROM past_connectors WHERE id = new.id);
  UPDATE settings SET value = CAST(value + 1 AS TEXT) WHERE name = 'foreign_changes';
END;
CREATE TRIGGER connectors_deleted AFTER DELETE ON connectors
BEGIN
  INSERT OR REPLACE INTO past_connectors (id, key) VALUES (old.id, old.key);
  UPDATE settings SET value = CAST(value + 1 AS TEXT) WHERE name = 'foreign_changes';
END;

-- step: create the history
-- subject: the name of the only connector, or the imported file; reverts: the step that this one reverts.
CREATE TABLE history (
  step        INTEGER PRIMARY KEY AUTOINCREMENT,
  kind        TEXT NOT NULL CHECK (kind IN
                ('create', 'edit', 'auth mode', 'delete', 'import', 'migration', 'rollback', 'undo', 'pull', 'push', 'resolve')),
  state       TEXT NOT NULL CHECK (state IN ('running', 'done', 'reverted')),
  started_at  TEXT NOT NULL,
  records     INTEGER NOT NULL DEFAULT 0,
  reverts     INTEGER REFERENCES history (step),
  subject     TEXT,
  bytes       INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX history_by_reverts ON history (reverts) WHERE reverts IS NOT NULL;
-- before: the changed columns and the revision as a JSON object, NULL when the record did not exist;
-- after: the changed columns, NULL when it was deleted; revision: the one after the change.
CREATE TABLE history_changes (
  step          INTEGER NOT NULL REFERENCES history (step) ON DELETE CASCADE,
  key           INTEGER NOT NULL,
  connector_id  TEXT NOT NULL,
  before        TEXT,
  after         TEXT,
  revision      INTEGER,
  PRIMARY KEY (step, key)
) STRICT, WITHOUT ROWID;

-- step: create the decisions of the migration
-- The user's decision for a record of the plan: skip, or a choice of a step (src/domain/migration). It is kept after a
-- rollback, so that the next run uses it.
CREATE TABLE migration_decisions (
  key       INTEGER PRIMARY KEY REFERENCES connectors (key) ON DELETE CASCADE,
  decision  TEXT NOT NULL
) STRICT;

-- step: create the remotes
-- credential: encrypted like secrets, bound to the connection settings (src/domain/remote/mod.rs).
CREATE TABLE remotes (
  name         TEXT NOT NULL PRIMARY KEY,
  url          TEXT NOT NULL,
  space        TEXT NOT NULL,
  ca_file      TEXT,
  proxy        TEXT,
  timeout      INTEGER NOT NULL,
  allow_http   INTEGER NOT NULL DEFAULT 0,
  credential   TEXT,
  is_default   INTEGER NOT NULL DEFAULT 0,
  version      TEXT,
  knows_modes  INTEGER NOT NULL DEFAULT 0,
  fetched_at   TEXT
) STRICT, WITHOUT ROWID;
-- base: the merge base; fetched: the last state in Kibana, NULL if Kibana does not have the connector.
-- sent_secrets: a keyed fingerprint of the secrets that Kibana received from this file.
-- is_detected: a fetch found both sides equal, without a pull or a push, when detected_after was the newest step;
-- base_before: the merge base before that.
CREATE TABLE remote_connectors (
  remote          TEXT NOT NULL REFERENCES remotes (name) ON DELETE CASCADE,
  id              TEXT NOT NULL,
  base            TEXT,
  fetched         TEXT,
  sent_secrets    TEXT,
  managed_by      TEXT CHECK (managed_by IN ('configuration', 'kibana', 'nested')),
  referenced_by   INTEGER NOT NULL DEFAULT 0,
  is_detected     INTEGER NOT NULL DEFAULT 0,
  base_before     TEXT,
  detected_after  INTEGER,
  PRIMARY KEY (remote, id)
) STRICT, WITHOUT ROWID;
-- Names of connector types as Kibana reports them, for types that the program does not know.
CREATE TABLE remote_types (
  remote  TEXT NOT NULL REFERENCES remotes (name) ON DELETE CASCADE,
  id      TEXT NOT NULL,
  name    TEXT NOT NULL,
  PRIMARY KEY (remote, id)
) STRICT, WITHOUT ROWID;
-- The merge base before and after a step, if the step or a later fetch changed it: undo and redo restore it.
CREATE TABLE remote_bases (
  step          INTEGER NOT NULL REFERENCES history (step) ON DELETE CASCADE,
  connector_id  TEXT NOT NULL,
  remote        TEXT NOT NULL REFERENCES remotes (name) ON DELETE CASCADE,
  before        TEXT NOT NULL,
  after         TEXT NOT NULL,
  PRIMARY KEY (step, connector_id, remote)
) STRICT, WITHOUT ROWID;
CREATE INDEX remote_bases_by_remote ON remote_bases (remote);
-- The push log: a request is stored before it is sent, so that its outcome can be determined after a crash.
CREATE TABLE remote_requests (
  step          INTEGER NOT NULL REFERENCES history (step) ON DELETE CASCADE,
  connector_id  TEXT NOT NULL,
  number        INTEGER NOT NULL,
  remote        TEXT NOT NULL,
  call          TEXT NOT NULL CHECK (call IN ('create', 'update', 'import', 'delete')),
  state         TEXT NOT NULL CHECK (state IN ('sending', 'done', 'refused', 'not sent', 'unknown')),
  expected      TEXT,
  secrets       TEXT,
  detail        TEXT,
  PRIMARY KEY (step, connector_id, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX remote_requests_open ON remote_requests (state) WHERE state = 'sending';
