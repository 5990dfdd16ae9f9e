CREATE TABLE connectors (
  id                 TEXT NOT NULL PRIMARY KEY,
  connector_type_id  TEXT NOT NULL,
  name               TEXT NOT NULL,
  config             TEXT NOT NULL DEFAULT '{}',
  secrets            TEXT,
  is_missing_secrets INTEGER NOT NULL DEFAULT 0,
  extra              TEXT NOT NULL DEFAULT '{}',
  model_version      INTEGER NOT NULL DEFAULT 1,
  created_at         TEXT,
  updated_at         TEXT
) STRICT;
