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
