-- Reviews: what reviewers were shown, who was asked, and what they said.

-- name: add(issue, content_hash, snapshot, now)$
-- Save a review. Return its id.
INSERT INTO review (issue, content_hash, asked_at, snapshot)
VALUES (:issue, :content_hash, :now, :snapshot)
RETURNING id;

-- name: end_earlier(issue, now)!
-- End all reviews of an issue, because a newer one replaces them.
UPDATE review SET ended_at = :now WHERE issue = :issue AND ended_at = '';

-- name: add_picture(review, name, content_type, content)*!
-- Save an image of a review.
INSERT INTO review_picture (review, name, content_type, content) VALUES (:review, :name, :content_type, :content);

-- name: add_reviewer(review, name, email, token)$
-- Save someone who is asked. Return their id.
INSERT INTO reviewer (review, name, email, token) VALUES (:review, :name, :email, :token) RETURNING id;

-- name: find_reviewer(reviewer)^
-- Return someone who was asked.
SELECT id, review, name, email, token FROM reviewer WHERE id = :reviewer;

-- name: find(review)^
-- Return a review.
SELECT id, issue, content_hash, asked_at, ended_at FROM review WHERE id = :review;

-- name: open_of(issue)^
-- Return the review of an issue that has not ended.
SELECT id, issue, content_hash, asked_at, ended_at
FROM review
WHERE issue = :issue AND ended_at = ''
ORDER BY id DESC
LIMIT 1;

-- name: reviewers_of(review)
-- Return everyone who was asked, in the order in which they were.
SELECT id, review, name, email, token FROM reviewer WHERE review = :review ORDER BY id;

-- name: snapshot_of(review)$
-- Return what reviewers are shown.
SELECT snapshot FROM review WHERE id = :review;

-- name: snapshot_with(issue, content_hash)$
-- Return what reviewers were shown of exactly this content.
SELECT snapshot FROM review WHERE issue = :issue AND content_hash = :content_hash ORDER BY id DESC LIMIT 1;

-- name: pictures(review)
-- Return the images of a review.
SELECT name, content_type, content FROM review_picture WHERE review = :review ORDER BY name;

-- name: add_remark(review, reviewer, path, line, words, said, now)!
-- Save a remark, unless the reviewer has said the same about the same place already.
INSERT INTO review_remark (review, reviewer, path, line, words, said, said_at)
SELECT :review, :reviewer, :path, :line, :words, :said, :now
WHERE NOT EXISTS (
    SELECT 1
    FROM review_remark
    WHERE
        reviewer = :reviewer
        AND path = :path
        AND line = :line
        AND words = :words
        AND said = :said
);

-- name: count_remarks(review)$
-- Return how many remarks there are about a review.
SELECT count(*) FROM review_remark WHERE review = :review;

-- name: count_remarks_since(reviewer, since)$
-- Return how many remarks someone has made since a time.
SELECT count(*) FROM review_remark WHERE reviewer = :reviewer AND said_at > :since;

-- name: remarks_of_review(review)
-- Return the remarks about a review, the oldest first.
SELECT
    m.id, m.review, r.issue, m.path, m.line, m.words, m.said, p.name AS said_by, m.said_at, m.done_at
FROM review_remark AS m
JOIN review AS r ON r.id = m.review
JOIN reviewer AS p ON p.id = m.reviewer
WHERE m.review = :review
ORDER BY m.id;

-- name: remarks_of_issue(issue)
-- Return the remarks about all reviews of an issue, the oldest first.
SELECT
    m.id, m.review, r.issue, m.path, m.line, m.words, m.said, p.name AS said_by, m.said_at, m.done_at
FROM review_remark AS m
JOIN review AS r ON r.id = m.review
JOIN reviewer AS p ON p.id = m.reviewer
WHERE r.issue = :issue
ORDER BY m.id;

-- name: set_done(issue, remark, done_at)!
-- Save when a remark was dealt with, or that it is open again.
UPDATE review_remark
SET done_at = :done_at
WHERE id = :remark AND review IN (SELECT id FROM review WHERE issue = :issue);

-- name: delete_remarks(before)!
-- Delete the remarks about reviews from before a time.
DELETE FROM review_remark WHERE review IN (SELECT id FROM review WHERE asked_at < :before);

-- name: delete_reviewers(before)!
-- Delete who was asked to review before a time.
DELETE FROM reviewer WHERE review IN (SELECT id FROM review WHERE asked_at < :before);

-- name: delete_pictures(before)!
-- Delete the images of reviews from before a time.
DELETE FROM review_picture WHERE review IN (SELECT id FROM review WHERE asked_at < :before);

-- name: delete_reviews(before)!
-- Delete the reviews from before a time.
DELETE FROM review WHERE asked_at < :before;
