-- Asking people on the list for a consent that is not on record, once, and letting those go who do not answer.

-- name: left_out(at)
-- Return why people without a consent or a basis are not asked, with the number of people.
SELECT reason, count(*) AS people
FROM (SELECT {s.unaskable} AS reason FROM subscriber AS s WHERE s.consented_at = '' AND s.consent_basis = '') AS r
WHERE reason IS NOT NULL
GROUP BY reason
ORDER BY people DESC, reason;

-- name: askable(at)
-- Return the people who may be asked.
SELECT s.id, s.person, s.email, s.language, s.token FROM subscriber AS s WHERE {s.unaskable} IS NULL ORDER BY s.id;

-- name: add(person, email, language, wording, token, subscriber, broadcast, source, now)*!
-- Save that someone is asked, for good.
INSERT INTO signup (
    person, email, first_name, language, topics, wants_tracking, source, wording, token, asked_at, state, mailed_at,
    broadcast, subscriber, is_asked_again
)
VALUES (
    :person, :email, '', :language, '', 0, :source, :wording, :token, :now, 'mailed', :now, :broadcast, :subscriber, 1
);

-- name: silent(before, at)
-- Return the people who got the email before a time, and have not answered it.
SELECT s.id, s.email
FROM signup AS u
JOIN subscriber AS s ON s.id = u.subscriber AND s.person = u.person
JOIN delivery AS d ON d.broadcast = u.broadcast AND d.subscriber = u.subscriber
JOIN chunk AS c ON c.broadcast = d.broadcast AND c.number = d.chunk
WHERE
    u.is_asked_again = 1
    AND u.state = 'mailed'
    AND c.state = 'accepted'
    AND c.changed_at <= :before
    AND {s.unasked_for} IS NULL
ORDER BY s.id;
