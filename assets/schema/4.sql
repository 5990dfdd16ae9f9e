-- Schema 4: which keys sealed secrets, without reading the secrets.

-- step: index the keys of sealed secrets
-- The beginning of a sealed value up to its key id (src/vault/envelope.rs); Kibana's own values are not in it.
CREATE INDEX connectors_by_key ON connectors (substr(secrets, 1, 37)) WHERE substr(secrets, 1, 4) = 'ca1.';
