-- Schema 5: the Kibana servers a file is a working copy of, what they said last, and what was sent to them.

-- step: give the history pulls, pushes and decided conflicts
-- The kinds stand in a check, which SQLite changes only with the table. Nothing refers to it while it is copied:
-- foreign keys are off during an upgrade, and the changes of the steps stay where they are.
CREATE TABLE history_5 (
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
INSERT INTO history_5 (step, kind, state, started_at, records, reverts, subject, bytes)
  SELECT step, kind, state, started_at, records, reverts, subject, bytes FROM history;
-- Numbers of steps that were forgotten are not given again.
DELETE FROM sqlite_sequence WHERE name = 'history_5';
INSERT INTO sqlite_sequence (name, seq) SELECT 'history_5', seq FROM sqlite_sequence WHERE name = 'history';
DROP TABLE history;
ALTER TABLE history_5 RENAME TO history;
CREATE INDEX history_by_reverts ON history (reverts) WHERE reverts IS NOT NULL;

-- step: make room for remotes
-- credential: encrypted like secrets, bound to all that decides where it goes (src/domain/remote.rs).
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
  seen_at      TEXT
) STRICT, WITHOUT ROWID;
-- base: what both sides last agreed on; seen: what Kibana said last, NULL where it does not have the connector.
-- sent_secrets: a keyed fingerprint of the secrets that Kibana took from this file.
-- found_by_look: both sides were found to say the same, without a pull or a push, when found_after was the newest step;
-- base_before: what they agreed on until then.
CREATE TABLE remote_connectors (
  remote         TEXT NOT NULL REFERENCES remotes (name) ON DELETE CASCADE,
  id             TEXT NOT NULL,
  base           TEXT,
  seen           TEXT,
  sent_secrets   TEXT,
  managed_by     TEXT CHECK (managed_by IN ('configuration', 'kibana', 'nested')),
  referenced_by  INTEGER NOT NULL DEFAULT 0,
  found_by_look  INTEGER NOT NULL DEFAULT 0,
  base_before    TEXT,
  found_after    INTEGER,
  PRIMARY KEY (remote, id)
) STRICT, WITHOUT ROWID;
-- Names of connector types as Kibana reports them, for those that the program does not know.
CREATE TABLE remote_types (
  remote  TEXT NOT NULL REFERENCES remotes (name) ON DELETE CASCADE,
  id      TEXT NOT NULL,
  name    TEXT NOT NULL,
  PRIMARY KEY (remote, id)
) STRICT, WITHOUT ROWID;
-- What both sides agreed on before and after a step, where it or a look after it made a difference: taking the step back
-- and bringing it again restores that too.
CREATE TABLE remote_bases (
  step          INTEGER NOT NULL REFERENCES history (step) ON DELETE CASCADE,
  connector_id  TEXT NOT NULL,
  remote        TEXT NOT NULL REFERENCES remotes (name) ON DELETE CASCADE,
  before        TEXT NOT NULL,
  after         TEXT NOT NULL,
  PRIMARY KEY (step, connector_id, remote)
) STRICT, WITHOUT ROWID;
CREATE INDEX remote_bases_by_remote ON remote_bases (remote);
-- What a push sent: written before a request leaves, so that a program that is killed can tell afterwards.
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
