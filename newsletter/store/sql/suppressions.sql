-- name: add(person, email, reason, created_at)!
-- Suppresses an address; a suppression that stands already stays as it is.
INSERT INTO suppression (person, email, reason, created_at)
VALUES (:person, :email, :reason, :created_at)
ON CONFLICT (person) DO NOTHING;

-- name: remove(person)!
-- Lifts a suppression.
DELETE FROM suppression WHERE person = :person;

-- name: find(person)^
-- The suppression of one address.
SELECT email, reason, created_at FROM suppression WHERE person = :person;

-- name: page(after, size)
-- Suppressions by address, a page at a time.
SELECT person, email, reason, created_at
FROM suppression
WHERE person > :after
ORDER BY person
LIMIT :size;
