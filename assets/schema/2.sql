-- Schema 2: the auth mode, the migration plan as an indexed column, optimistic concurrency, history.
-- Only rows that carry an auth mode in `extra` are rewritten; the other columns are virtual.

-- step: add the auth mode and the revision
ALTER TABLE connectors ADD COLUMN auth_mode TEXT CHECK (auth_mode IN ('shared', 'per-user'));
ALTER TABLE connectors ADD COLUMN revision INTEGER NOT NULL DEFAULT 0;

-- step: add the columns read from config
-- Texts that readers of JSON (and releases of SQLite) do not all take alike: a NUL, letters or controls written
-- as \u escapes, a key that may stand twice. No index rests on what SQLite makes of them; the program asks its
-- own rules for these few records.
ALTER TABLE connectors ADD COLUMN is_odd_extra INTEGER GENERATED ALWAYS AS (
  extra GLOB '*\u00[04-7]*'
  OR extra GLOB '*"attributes"*"attributes"*'
  OR extra GLOB '*"authMode"*"authMode"*'
  OR instr(extra, char(0)) > 0) VIRTUAL;
ALTER TABLE connectors ADD COLUMN is_odd INTEGER GENERATED ALWAYS AS (
  is_odd_extra
  OR config GLOB '*\u00[04-7]*'
  OR config GLOB '*"authType"*"authType"*'
  OR instr(config, char(0)) > 0) VIRTUAL;
ALTER TABLE connectors ADD COLUMN auth_type TEXT GENERATED ALWAYS AS (
  CASE WHEN NOT is_odd AND json_valid(config) THEN
    CASE WHEN json_type(config, '$.authType') = 'text' THEN nullif(json_extract(config, '$.authType'), '') END
  END) VIRTUAL;
ALTER TABLE connectors ADD COLUMN is_deprecated_use INTEGER GENERATED ALWAYS AS (
  CASE WHEN NOT is_odd AND json_valid(config) THEN
    connector_type_id IN ('.servicenow', '.servicenow-sir') AND json_type(config, '$.usesTableApi') IS 'true'
  ELSE 0 END) VIRTUAL;
ALTER TABLE connectors ADD COLUMN is_malformed INTEGER GENERATED ALWAYS AS (
  CASE
    WHEN is_odd THEN 0
    WHEN NOT json_valid(config) OR NOT json_valid(extra) THEN 1
    ELSE json_type(config) <> 'object' OR json_type(extra) <> 'object'
  END) VIRTUAL;

-- step: add the migration plan
-- The rule of model version 2 (src/domain/model_version/v2.rs); a test proves that both say the same.
ALTER TABLE connectors ADD COLUMN migration_group TEXT GENERATED ALWAYS AS (
  CASE
    WHEN model_version = 2 THEN NULL
    WHEN model_version > 2 THEN 'blocked'
    WHEN is_odd THEN 'odd'
    WHEN NOT json_valid(config) OR NOT json_valid(extra) THEN 'blocked'
    WHEN json_type(config) <> 'object' OR json_type(extra) <> 'object' THEN 'blocked'
    WHEN json_type(config, '$.authType') NOT IN ('text', 'null') THEN 'blocked'
    WHEN auth_mode IS NOT NULL THEN 'stamp_only'
    WHEN coalesce(json_type(extra, '$.attributes.authMode'), 'null') NOT IN ('text', 'null') THEN 'blocked'
    WHEN coalesce(json_extract(extra, '$.attributes.authMode'), '') NOT IN ('', 'shared', 'per-user') THEN 'blocked'
    WHEN coalesce(json_extract(extra, '$.attributes.authMode'), '') <> '' THEN 'stamp_only'
    WHEN coalesce(json_extract(config, '$.authType'), '') <> '' THEN 'backfill'
    ELSE 'stamp_only'
  END) VIRTUAL;

-- step: take over the auth modes that records carry
UPDATE connectors SET auth_mode = json_extract(extra, '$.attributes.authMode')
WHERE CASE WHEN NOT is_odd_extra AND json_valid(extra) THEN
  json_extract(extra, '$.attributes.authMode') IN ('shared', 'per-user') END;

-- step: index the names
CREATE INDEX connectors_by_name ON connectors (name COLLATE NOCASE);

-- step: index the connector types
CREATE INDEX connectors_by_type ON connectors (connector_type_id, name COLLATE NOCASE);

-- step: index the auth types
CREATE INDEX connectors_by_auth_type ON connectors (auth_type, name COLLATE NOCASE);

-- step: index the auth modes
CREATE INDEX connectors_by_auth_mode ON connectors (auth_mode, name COLLATE NOCASE);

-- step: index the times
CREATE INDEX connectors_by_updated_at ON connectors (updated_at);

-- step: index the migration plan
CREATE INDEX connectors_to_migrate ON connectors (migration_group, name COLLATE NOCASE)
  WHERE migration_group IS NOT NULL;

-- step: index the missing secrets
CREATE INDEX connectors_missing_secrets ON connectors (name COLLATE NOCASE) WHERE is_missing_secrets <> 0;

-- step: create the history
-- A record's revision is the history step that wrote it, so one revision means one content. A writer that
-- knows nothing of that gets a negative number, which no step has.
CREATE TRIGGER connectors_foreign_revision AFTER UPDATE ON connectors WHEN new.revision = old.revision
BEGIN
  UPDATE connectors SET revision = -1 - abs(random() % 1000000000000) WHERE rowid = new.rowid;
END;
CREATE TABLE history (
  step        INTEGER PRIMARY KEY AUTOINCREMENT,
  kind        TEXT NOT NULL CHECK (kind IN
                ('create', 'edit', 'auth mode', 'delete', 'import', 'migration', 'rollback', 'undo')),
  state       TEXT NOT NULL CHECK (state IN ('running', 'done', 'reverted')),
  started_at  TEXT NOT NULL,
  records     INTEGER NOT NULL DEFAULT 0,
  reverts     INTEGER REFERENCES history (step)
) STRICT;
-- before: the changed columns and the revision as a JSON object, NULL when the record did not exist;
-- after: the changed columns, NULL when it was deleted; revision: the one after the change.
CREATE TABLE history_changes (
  step          INTEGER NOT NULL REFERENCES history (step) ON DELETE CASCADE,
  connector_id  TEXT NOT NULL,
  before        TEXT,
  after         TEXT,
  revision      INTEGER,
  PRIMARY KEY (step, connector_id)
) STRICT, WITHOUT ROWID;
-- What a person decided for a record of the plan; kept, so that a run that was rolled back starts from it.
CREATE TABLE migration_decisions (
  connector_id  TEXT NOT NULL PRIMARY KEY REFERENCES connectors (id) ON DELETE CASCADE,
  decision      TEXT NOT NULL CHECK (decision IN ('shared', 'per-user', 'skip'))
) STRICT, WITHOUT ROWID;
