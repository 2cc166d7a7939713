-- The corrections that someone makes by hand. The changed cells are saved like those of an import.

-- name: cells(ids)
-- Return the cells of the people in a JSON list of ids.
SELECT s.id AS subscriber, {s.columns}
FROM subscriber AS s
WHERE s.id IN (SELECT CAST(value AS INTEGER) FROM json_each(:ids))
ORDER BY s.id;

-- name: set_person(subscriber, person)!
-- Change the form of the address that identifies a person.
UPDATE subscriber SET person = :person WHERE id = :subscriber;

-- name: copy_suppressions(old, person, email)!
-- Suppress a new address as the old one is. It was not added to a list at the provider.
INSERT INTO suppression (person, topic, email, reason, detail, created_at, repeated_at, consent_on_record)
SELECT :person, topic, :email, reason, detail, created_at, repeated_at, consent_on_record
FROM suppression
WHERE person = :old;

-- name: copy_lifted_by_import(old, person, email)!
-- Save that the last import lifted the suppressions of the old address, so that undoing it suppresses the new one again.
INSERT INTO import_suppression (
    person, topic, email, reason, detail, created_at, repeated_at, handed_over_at, consent_on_record, is_lifted
)
SELECT :person, b.topic, :email, b.reason, b.detail, b.created_at, b.repeated_at, '', b.consent_on_record, 1
FROM import_suppression AS b
WHERE
    b.person = :old AND b.is_lifted = 1 AND b.reason <> ''
    AND NOT EXISTS (SELECT 1 FROM suppression AS p WHERE p.person = b.person AND p.topic = b.topic)
ON CONFLICT (person, topic) DO NOTHING;
