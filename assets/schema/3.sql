-- Schema 3: what a step of the history is about and how much room it takes; settings of the file.

-- step: describe the steps of the history
ALTER TABLE history ADD COLUMN subject TEXT;
ALTER TABLE history ADD COLUMN bytes INTEGER NOT NULL DEFAULT 0;
UPDATE history SET bytes = coalesce(
  (SELECT sum(coalesce(length(before), 0) + coalesce(length(after), 0))
   FROM history_changes WHERE history_changes.step = history.step), 0);

-- step: index what was taken back
CREATE INDEX history_by_reverts ON history (reverts) WHERE reverts IS NOT NULL;

-- step: make room for settings
CREATE TABLE settings (
  name   TEXT NOT NULL PRIMARY KEY,
  value  TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- step: index the columns without the names
-- The rows of one value lie in the order of the table then, so that a migration, which goes along the table, writes
-- each page of an index once and not again and again. Orders by name are made from the names in memory. An upgrade
-- from schema 1 does not make what is dropped here (src/store/schema.rs).
DROP INDEX IF EXISTS connectors_by_type;
DROP INDEX IF EXISTS connectors_by_auth_type;
DROP INDEX IF EXISTS connectors_by_auth_mode;
DROP INDEX IF EXISTS connectors_to_migrate;
CREATE INDEX connectors_type ON connectors (connector_type_id);
CREATE INDEX connectors_auth_type ON connectors (auth_type);
CREATE INDEX connectors_auth_mode ON connectors (auth_mode);
CREATE INDEX connectors_plan ON connectors (migration_group) WHERE migration_group IS NOT NULL;

-- step: index what SQLite cannot judge and what is damaged
-- Both are few in any file, and both are asked for.
CREATE INDEX connectors_to_look_at ON connectors (is_malformed) WHERE is_malformed <> 0 OR is_odd <> 0;

-- step: count what other programs change
-- What is kept in memory of the names is read again only when someone who knows nothing of the history wrote.
INSERT INTO settings VALUES ('foreign_changes', '0');
DROP TRIGGER connectors_foreign_revision;
CREATE TRIGGER connectors_foreign_revision AFTER UPDATE ON connectors WHEN new.revision = old.revision
BEGIN
  UPDATE connectors SET revision = -1 - abs(random() % 1000000000000) WHERE rowid = new.rowid;
  UPDATE settings SET value = CAST(value + 1 AS TEXT) WHERE name = 'foreign_changes';
END;
CREATE TRIGGER connectors_foreign_insert AFTER INSERT ON connectors WHEN new.revision = 0
BEGIN
  UPDATE settings SET value = CAST(value + 1 AS TEXT) WHERE name = 'foreign_changes';
END;
CREATE TRIGGER connectors_deleted AFTER DELETE ON connectors
BEGIN
  UPDATE settings SET value = CAST(value + 1 AS TEXT) WHERE name = 'foreign_changes';
END;
