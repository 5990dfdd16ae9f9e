-- Schema 4: which keys sealed secrets, without reading the secrets.

-- step: index the keys of sealed secrets
-- The beginning of an encrypted value up to its key id (src/vault/envelope.rs); empty for a value of another program.
CREATE INDEX connectors_by_key ON connectors (
  CASE WHEN substr(secrets, 1, 4) = 'ca1.' THEN substr(secrets, 1, instr(substr(secrets, 5), '.') + 3) ELSE '' END) WHERE secrets IS NOT NULL;
