-- Broadcasts that agents proposed. A person releases one, or declines it. AUTOINCREMENT, because a person refers to one
-- by its number, so no number may be given to another one later.
CREATE TABLE proposal (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    issue TEXT NOT NULL,
    segment TEXT NOT NULL,
    content_hash TEXT NOT NULL,                -- of exactly what may be sent
    recipients INTEGER NOT NULL,               -- how many would have got it when it was proposed
    wall_time TEXT NOT NULL DEFAULT '',        -- when, without a zone; empty: as soon as it is released
    is_second INTEGER NOT NULL DEFAULT 0,      -- of two times that the clocks show it, the second
    zone TEXT NOT NULL DEFAULT '',
    is_local_time INTEGER NOT NULL DEFAULT 0,
    proposed_by TEXT NOT NULL,                 -- the agent's program, as it calls itself
    proposed_at TEXT NOT NULL,
    expires_at TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'open',
    broadcast INTEGER                          -- what came of it
);

CREATE UNIQUE INDEX proposal_open ON proposal (issue, segment) WHERE state = 'open';
