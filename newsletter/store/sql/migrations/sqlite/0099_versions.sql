-- Which version of an issue the rest of a broadcast gets, once it is decided. Empty: not yet, or it has no versions.
ALTER TABLE watch ADD COLUMN chosen TEXT NOT NULL DEFAULT '';

-- In totals, the links of each version are different ones, so that their opens and clicks can be counted apart.
ALTER TABLE tracked_link ADD COLUMN version TEXT NOT NULL DEFAULT '';

CREATE TABLE version_total (
    broadcast INTEGER NOT NULL,
    version TEXT NOT NULL,
    type TEXT NOT NULL,
    verdict TEXT NOT NULL,
    events INTEGER NOT NULL,
    PRIMARY KEY (broadcast, version, type, verdict)
) STRICT, WITHOUT ROWID;
