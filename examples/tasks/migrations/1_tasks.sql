CREATE TABLE tasks (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    title      TEXT    NOT NULL,
    notes      TEXT    NOT NULL,
    progress   TEXT    NOT NULL CHECK (progress IN ('open', 'started', 'done')),
    due        TEXT,                         -- a day: 2026-11-26
    created_at TEXT    NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%SZ', 'now')),
    version    INTEGER NOT NULL DEFAULT 1    -- one more with each change: the entity tag
) STRICT;

-- Nobody wants the same thing on the list twice; what is done may come again.
CREATE UNIQUE INDEX tasks_title ON tasks (title) WHERE progress <> 'done';
