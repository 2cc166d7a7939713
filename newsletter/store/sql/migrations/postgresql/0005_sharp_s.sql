-- People were told apart by a form of the address in which `ß` is `ss`. They are two mailboxes, so the form now keeps `ß`.
-- The two engines do not agree on lower() beyond ASCII. The capitals that addresses with `ß` may have are listed here.
UPDATE subscriber
SET
    person = lower(
        replace(replace(replace(replace(substr(email, 1, strpos(email, '@') - 1), 'ẞ', 'ß'), 'Ä', 'ä'), 'Ö', 'ö'), 'Ü', 'ü')
    ) || substr(person, strpos(person, '@'))
WHERE substr(email, 1, strpos(email, '@') - 1) LIKE '%ß%' OR substr(email, 1, strpos(email, '@') - 1) LIKE '%ẞ%';

-- It is not known which of the two mailboxes left. Both stay suppressed, so the row with the old form is kept.
INSERT INTO suppression (
    person, topic, email, reason, detail, created_at, repeated_at, handed_over_at, consent_on_record
)
SELECT
    lower(
        replace(replace(replace(replace(substr(email, 1, strpos(email, '@') - 1), 'ẞ', 'ß'), 'Ä', 'ä'), 'Ö', 'ö'), 'Ü', 'ü')
    ) || substr(person, strpos(person, '@')),
    topic, email, reason, detail, created_at, repeated_at, handed_over_at, consent_on_record
FROM suppression
WHERE substr(email, 1, strpos(email, '@') - 1) LIKE '%ß%' OR substr(email, 1, strpos(email, '@') - 1) LIKE '%ẞ%';

INSERT INTO suppression (
    person, topic, email, reason, detail, created_at, repeated_at, handed_over_at, consent_on_record
)
SELECT
    s.person, b.topic, s.email, b.reason, b.detail, b.created_at, b.repeated_at, b.handed_over_at, b.consent_on_record
FROM subscriber AS s
INNER JOIN suppression AS b ON b.person = replace(s.person, 'ß', 'ss')
WHERE s.person LIKE '%ß%'
ON CONFLICT (person, topic) DO NOTHING;

-- What is known of the past belongs to the subscriber.
INSERT INTO past_suppression (person, topic, reason, created_at, repeated_at, lifted_at, because)
SELECT s.person, p.topic, p.reason, p.created_at, p.repeated_at, p.lifted_at, p.because
FROM subscriber AS s
INNER JOIN past_suppression AS p ON p.person = replace(s.person, 'ß', 'ss')
WHERE s.person LIKE '%ß%';

INSERT INTO soft_bounce (person, at, detail)
SELECT s.person, b.at, b.detail
FROM subscriber AS s
INNER JOIN soft_bounce AS b ON b.person = replace(s.person, 'ß', 'ss')
WHERE s.person LIKE '%ß%';
