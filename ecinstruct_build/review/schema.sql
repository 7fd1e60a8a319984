-- A review: the sample drawn, who judges, what is in front of whom, and what was said.
-- Times are seconds since 1970 (UTC) but for answered_at and undone_at, which are ISO 8601 texts in UTC.

CREATE TABLE sample (
    sample_id TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL -- JSON, all of it but its items
) STRICT;

CREATE TABLE item (
    number INTEGER NOT NULL PRIMARY KEY,
    task TEXT NOT NULL,
    doubled INTEGER NOT NULL,
    value TEXT NOT NULL -- JSON, all of it
) STRICT;

CREATE TABLE annotator (
    name_key TEXT NOT NULL PRIMARY KEY, -- the name without regard to case
    name TEXT NOT NULL
) STRICT;

-- An item handed out and not yet answered. After `until` it may be handed to someone else; the claim stays, for if
-- nobody took the item, its answer is still welcome.
CREATE TABLE claim (
    claim_id INTEGER PRIMARY KEY AUTOINCREMENT,
    number INTEGER NOT NULL REFERENCES item,
    name_key TEXT NOT NULL REFERENCES annotator,
    until REAL NOT NULL,
    UNIQUE (number, name_key)
) STRICT;

CREATE TABLE answer (
    answer_id INTEGER PRIMARY KEY AUTOINCREMENT,
    number INTEGER NOT NULL REFERENCES item,
    name_key TEXT NOT NULL REFERENCES annotator,
    verdict TEXT NOT NULL,
    defect INTEGER NOT NULL,
    note TEXT NOT NULL,
    seconds REAL NOT NULL,
    answered_at TEXT NOT NULL,
    UNIQUE (number, name_key)
) STRICT;

-- Answers taken back.
CREATE TABLE undone (
    answer_id INTEGER NOT NULL PRIMARY KEY,
    number INTEGER NOT NULL,
    name_key TEXT NOT NULL,
    verdict TEXT NOT NULL,
    note TEXT NOT NULL,
    seconds REAL NOT NULL,
    answered_at TEXT NOT NULL,
    undone_at TEXT NOT NULL
) STRICT;
