-- What the checks found before a broadcast began, as JSON. Broadcasts from before this table have no row.
CREATE TABLE checked (
    broadcast INTEGER PRIMARY KEY,
    result TEXT COLLATE "C" NOT NULL
);

-- The newest proof of a broadcast: the bundle as it was written, compressed.
CREATE TABLE proof (
    broadcast INTEGER PRIMARY KEY,
    bundle BYTEA NOT NULL
);

-- The lines of a proof, in pages of equal size, in the order of the subscribers. `leaves` has the hashes of the lines one
-- after the other, and `openings` the salts and what was hashed with them, compressed. Erasing a person takes their
-- opening away and leaves the hash, so the paths of all others stay as they are.
CREATE TABLE proof_page (
    broadcast INTEGER NOT NULL,
    number INTEGER NOT NULL,
    first_subscriber INTEGER NOT NULL,
    last_subscriber INTEGER NOT NULL,
    root BYTEA NOT NULL,
    leaves BYTEA NOT NULL,
    openings BYTEA NOT NULL,
    PRIMARY KEY (broadcast, number)
);
