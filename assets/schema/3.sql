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
