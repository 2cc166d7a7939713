-- Whether we asked someone on the list, who had given no consent, for it. Such a row is kept, because no one is asked
-- twice. It does not record that the person asked for anything.
ALTER TABLE signup ADD COLUMN is_asked_again INTEGER NOT NULL DEFAULT 0;

CREATE INDEX signup_asked_again ON signup (person) WHERE is_asked_again = 1;
