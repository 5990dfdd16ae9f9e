"""What a user would write without the program: import an export into SQLite, or export it again.

    script.py import EXPORT DATABASE        script.py export DATABASE EXPORT
"""
import json
import sqlite3
import sys

COLUMNS = "id, connector_type_id, name, config, is_missing_secrets, extra, created_at, updated_at, auth_mode"


def import_(source, target):
    database = sqlite3.connect(target)
    database.execute("PRAGMA journal_mode = WAL")
    database.execute(f"CREATE TABLE connectors ({COLUMNS}, PRIMARY KEY (id))")
    database.execute("CREATE INDEX by_name ON connectors (name COLLATE NOCASE)")
    with open(source, encoding="utf-8") as lines, database:
        for line in lines:
            saved = json.loads(line)
            attributes = saved.pop("attributes", None)
            if attributes is None:
                continue
            config = json.dumps(attributes.pop("config", None) or {}, separators=(",", ":"), ensure_ascii=False)
            database.execute(
                "INSERT INTO connectors VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (saved.pop("id"), attributes.pop("actionTypeId"), attributes.pop("name"), config,
                 attributes.pop("isMissingSecrets", False), json.dumps(saved, ensure_ascii=False),
                 saved.get("created_at"), saved.get("updated_at"), attributes.pop("authMode", None)))


def export(source, target):
    database = sqlite3.connect(source)
    with open(target, "w", encoding="utf-8") as lines:
        for id_, type_id, name, config, missing, extra, created, updated, mode in database.execute(
                f"SELECT {COLUMNS} FROM connectors ORDER BY id"):
            saved = json.loads(extra)
            attributes = {"actionTypeId": type_id, "name": name, "config": json.loads(config),
                          "isMissingSecrets": bool(missing), "secrets": {}}
            if mode:
                attributes["authMode"] = mode
            saved.update(id=id_, type="action", attributes=attributes, created_at=created, updated_at=updated)
            lines.write(json.dumps(saved, sort_keys=True, separators=(",", ":"), ensure_ascii=False) + "\n")


{"import": import_, "export": export}[sys.argv[1]](sys.argv[2], sys.argv[3])
